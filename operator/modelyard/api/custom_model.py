"""CustomModel: what is predicted, what a version must pass, who may call."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.check_plan import ON_GOOD_PREDICTIONS
from modelyard.api.dataset import CONFIG_MAP_ADVICE, DatasetSource
from modelyard.api.inline_size import gate_rules
from modelyard.api.kinds import CUSTOM_MODEL, Kind
from modelyard.api.markers import Column, Rule, as_list_map, as_list_set, atomic, no_nul
from modelyard.api.meta import ApiModel, Conditions, DnsLabel, LabelSelector, Resource, Timestamp
from modelyard.api.names import SERVICE_NAME

TargetType = Literal["Binary", "Regression", "Multiclass", "Anomaly"]

Severity = Literal["skip", "warn", "fail"]

DEFAULT_LABELS = ("1", "0")
"""Positive and negative label of a binary model that names none."""

Name = Annotated[str, Field(min_length=1, max_length=500), no_nul()]
"""A name that the model is told."""


class Tolerance(ApiModel):
    """How far two predictions of the same row may be apart: |a - b| <= absolute + relative * |b|."""

    absolute: Annotated[float, Field(ge=0, le=1e6)] = 1e-6
    """The part that does not depend on the prediction, 0 to 1000000 (default 0.000001)."""

    relative: Annotated[float, Field(ge=0, le=1)] = 1e-6
    """The part that grows with the prediction, 0 to 1 (default 0.000001)."""


class TestConfiguration(ApiModel):
    """Which checks a test runs, and what a failure means."""

    long_running_service: Literal["fail"] = "fail"
    """Every replica starts, answers and stays up. fail (the only choice): a failure fails the test."""

    error_check: Literal["fail", "skip"] = "fail"
    """The model predicts every row of the dataset, well-formed and finite. fail (the default): a failure
    fails the test. skip: the check is not run."""

    null_value_imputation: Severity = "warn"
    """The model copes with missing values: each column is sent empty in turn, then all of them. skip: the
    check is not run. warn (the default): a failure is a warning. fail: it fails the test. Skipped where there
    is no dataset."""

    side_effects: Severity = "warn"
    """A prediction depends on its row alone: predicted as a whole, in batches, row by row, again and in
    another order, every row has the same. skip: the check is not run. warn (the default): a failure is a
    warning. fail: it fails the test. Skipped where there is no dataset."""

    tolerance: Tolerance = Tolerance()
    """How far two predictions of the same row may be apart before sideEffects calls them different."""

    sample_rows: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many rows of the dataset nullValueImputation sends for each column and sideEffects sends one by
    one, 1 to 1000 (default 100). They are drawn at random, the same for the same dataset."""


TestTimeout = Annotated[int, Field(ge=10, le=86400)]

DATASET_UNLESS_SKIPPED = Rule(
    "has(self.dataset) || self.configuration.errorCheck == 'skip'",
    "dataset is required for the errorCheck; add a dataset, or set configuration.errorCheck to skip",
)

_MAY_NOT_FAIL = [f"self.configuration.{name} != 'fail'" for name in ON_GOOD_PREDICTIONS]

DATASET_TO_FAIL = Rule(
    f"has(self.dataset) || ({' && '.join(_MAY_NOT_FAIL)})",
    f"dataset is required where {' or '.join(ON_GOOD_PREDICTIONS)} may fail the test; add a dataset, or set"
    " them to warn or skip",
)

DATASET_RULES = (DATASET_UNLESS_SKIPPED, DATASET_TO_FAIL)


class GateTest(ApiModel):
    """One test that every new version runs before it may serve."""

    name: Annotated[DnsLabel, Field(max_length=40)]
    """Name of the test within the gate, at most 40 characters."""

    dataset: DatasetSource | None = None
    """The rows to predict on; required unless configuration.errorCheck is skip."""

    configuration: TestConfiguration = TestConfiguration()
    """Which checks run, and what a failure means."""

    required: bool = True
    """Whether a version must pass this test to serve (default true). Otherwise its result is only
    recorded."""

    timeout_seconds: TestTimeout = 600
    """Seconds after which the test counts as failed, 10 to 86400 (default 600); it waits for its data for as
    long as it must."""

    rules: ClassVar[tuple[Rule, ...]] = DATASET_RULES


HistoryLimit = Annotated[int, Field(ge=0, le=100)]


class Gate(ApiModel):
    """What a version must pass before it serves."""

    tests: Annotated[list[GateTest], Field(min_length=1, max_length=16), as_list_map("name")]
    """The tests, 1 to 16; their inline datasets hold at most 192 KiB of UTF-8 together. Remove `gate` for
    the implicit test: every replica starts, answers and stays up."""

    successful_tests_history_limit: HistoryLimit = 5
    """How many ended tests of this gate that found nothing wrong are kept, with their reports, of versions
    that neither serve nor are candidates; 0 to 100 (default 5). Verdicts stay in the ModelLedger."""

    failed_tests_history_limit: HistoryLimit = 5
    """The same for tests that failed or were canceled; 0 to 100 (default 5)."""


Gate.rules = gate_rules(CONFIG_MAP_ADVICE)


class Caller(ApiModel):
    """Pods that may call the model, read like a peer of a NetworkPolicy."""

    namespace_selector: LabelSelector | None = None
    """Namespaces by their labels; absent means the model's own namespace."""

    pod_selector: LabelSelector | None = None
    """Pods by their labels; absent means every pod of the selected namespaces."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.namespaceSelector) || has(self.podSelector)",
            "at least one of namespaceSelector and podSelector must be set; write podSelector: {}"
            " for every pod"
            " of the model's namespace",
        ),
    )


class CustomModelSpec(ApiModel):
    """The model: what it predicts, what its versions must pass, who may call it."""

    target_type: TargetType
    """Binary: a probability for each of two classes. Multiclass: one for each of classLabels. Regression: a
    number. Anomaly: a number, higher for stranger rows. It cannot be changed."""

    target_name: Name
    """Name of what is predicted, 1 to 500 characters; told to the model as TARGET_NAME. Locked while a
    version serves or is tested."""

    positive_class_label: Name | None = None
    """Binary only: name of the positive class, 1 to 500 characters (default "1"). Set both labels or neither.
    Locked while a version serves or is tested."""

    negative_class_label: Name | None = None
    """Binary only: name of the negative class, 1 to 500 characters (default "0"). Set both labels or neither.
    Locked while a version serves or is tested."""

    class_labels: Annotated[list[Name], Field(min_length=2, max_length=100), as_list_set()] | None = None
    """Multiclass only, and required there: names of the classes, 2 to 100; told to the model as CLASS_LABELS,
    a JSON list in this order. Locked while a version serves or is tested."""

    prediction_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Binary only: from which probability on a row counts as positive, 0 to 1 (default 0.5); told to the
    model as PREDICTION_THRESHOLD. A version keeps the value that it was started with."""

    language: Annotated[str, Field(max_length=500)] = ""
    """What the model is written in, at most 500 characters. Information for readers only."""

    description: Annotated[str, Field(max_length=10000)] = ""
    """What the model is for, at most 10000 characters."""

    gate: Gate | None = None
    """What a version must pass before it serves. Absent means one implicit test: every replica starts,
    answers and stays up. Nothing serves untested."""

    callers: Annotated[list[Caller], Field(max_length=32), atomic("list")] = []
    """Who may call the model; at most 32 entries. Absent means every pod of the model's namespace, and the
    gateway where one is installed; a list means whom it names, and the gateway only if it names that."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.targetType == oldSelf.targetType",
            "targetType cannot be changed; create a new CustomModel instead",
            ".targetType",
        ),
        Rule(
            "self.targetType == 'Binary' || !has(self.positiveClassLabel)",
            "positiveClassLabel is for targetType Binary only; remove it",
            ".positiveClassLabel",
        ),
        Rule(
            "self.targetType == 'Binary' || !has(self.negativeClassLabel)",
            "negativeClassLabel is for targetType Binary only; remove it",
            ".negativeClassLabel",
        ),
        Rule(
            "has(self.positiveClassLabel) == has(self.negativeClassLabel)",
            "positiveClassLabel and negativeClassLabel belong together; set both, or neither for the labels 1 and 0",
        ),
        Rule(
            "!has(self.positiveClassLabel) || !has(self.negativeClassLabel)"
            " || self.positiveClassLabel != self.negativeClassLabel",
            "negativeClassLabel must differ from positiveClassLabel; rename one of them",
            ".negativeClassLabel",
        ),
        Rule(
            "self.targetType == 'Multiclass' || !has(self.classLabels)",
            "classLabels is for targetType Multiclass only; remove it",
            ".classLabels",
        ),
        Rule(
            "self.targetType != 'Multiclass' || has(self.classLabels)",
            "classLabels is required for targetType Multiclass; name the classes that the model predicts",
            ".classLabels",
        ),
    )

    def labels(self) -> tuple[str, str] | tuple[None, None]:
        """Positive and negative class label in effect; a pair of None unless the model is Binary."""
        if self.target_type != "Binary":
            return None, None
        if self.positive_class_label is None or self.negative_class_label is None:
            return DEFAULT_LABELS
        return self.positive_class_label, self.negative_class_label


class Address(ApiModel):
    """Where the model answers."""

    url: str
    """Base URL inside the cluster; send predictions to it with /predict_no_state/ appended."""


class ServingVersion(ApiModel):
    """The version that answers callers now."""

    name: str
    """Name of the CustomModelVersion."""

    label: str
    """Its label, major.minor."""

    key: str
    """Its key: ten hex digits that stand for its name and content."""

    since: Timestamp
    """When it was promoted."""

    digest: str | None = None
    """The digest of the image it runs; absent while the image is used by tag."""


class CandidateVersion(ApiModel):
    """A newer version that is on its way."""

    name: str
    """Name of the CustomModelVersion."""

    label: str | None = None
    """Its label, major.minor; absent until one is given."""


class CustomModelStatus(ApiModel):
    """What serves, what is on its way, and why not."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: the newest version serves in full. Available: some version answers callers."""

    address: Address | None = None
    """Where to call the model; absent until something has served."""

    serving: ServingVersion | None = None
    """The version that answers callers now."""

    candidate: CandidateVersion | None = None
    """The newer version that is being started or tested, if any."""

    latest_version: str | None = None
    """Name of the version with the highest label."""

    versions: int = 0
    """How many versions the model has."""


def _locked(name: str, same: str) -> Rule:
    return Rule(
        f"!has(self.status) || !(has(self.status.serving) || has(self.status.candidate)) || {same}",
        f"{name} is locked while a version serves or is tested, because its pods were told the old value;"
        " create a new CustomModel instead",
        f".spec.{name}",
    )


def _locked_label(name: str, in_order: str = "") -> Rule:
    field, old = f"self.spec.{name}", f"oldSelf.spec.{name}"
    same = f"{field}{in_order} == {old}{in_order}"
    return _locked(name, f"has({field}) == has({old}) && (!has({field}) || {same})")


class CustomModel(Resource):
    """A model: what it predicts, what its versions must pass before they serve, and who may call it. The
    newest version that passed serves, under one address that never changes."""

    kind: ClassVar[Kind] = CUSTOM_MODEL
    rules: ClassVar[tuple[Rule, ...]] = (
        SERVICE_NAME,
        _locked("targetName", "self.spec.targetName == oldSelf.spec.targetName"),
        _locked_label("positiveClassLabel"),
        _locked_label("negativeClassLabel"),
        _locked_label("classLabels", in_order=".map(label, label)"),  # CEL compares sets in any order
    )
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("Serving", ".status.serving.label"),
        Column("Version", ".status.serving.name"),
        Column("Since", ".status.serving.since", "date"),
        Column("Candidate", ".status.candidate.name"),
        Column("URL", ".status.address.url", priority=1),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message'),
    )

    spec: CustomModelSpec
    """What you want."""

    status: CustomModelStatus = CustomModelStatus()
    """What is; written by the operator."""
