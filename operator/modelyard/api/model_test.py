"""ModelTest: one run of the checks against one version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from modelyard.api.columns import Columns
from modelyard.api.custom_model import DATASET_RULES, TestConfiguration, TestTimeout
from modelyard.api.custom_model_version import EgressPolicy, Memory, ReplicaCount
from modelyard.api.dataset import DatasetSource
from modelyard.api.immutability import frozen_fields
from modelyard.api.kinds import MODEL_TEST, Kind
from modelyard.api.markers import Column, Rule
from modelyard.api.meta import ApiModel, Conditions, ObjectRef, Resource, Timestamp
from modelyard.api.names import LABEL_NAME

TestStatus = Literal[
    "not_tested",
    "queued",
    "in_progress",
    "succeeded",
    "warning",
    "failed",
    "skipped",
    "aborted",
    "canceled",
]


class ModelTestSpec(ApiModel):
    """What to test and with which data. Only cancel and ttlSecondsAfterFinished can be changed."""

    version_ref: ObjectRef
    """The CustomModelVersion to test."""

    dataset: DatasetSource | None = None
    """The rows to predict on; required unless configuration.errorCheck is skip."""

    configuration: TestConfiguration = TestConfiguration()
    """Which checks run, and what a failure means."""

    timeout_seconds: TestTimeout = 600
    """Seconds after which the test counts as failed, 10 to 86400 (default 600). One that waits for its data, or
    for its pods, for as long is aborted."""

    maximum_memory: Memory | None = None
    """Memory limit of one replica in this test, 128Mi to 14Gi (default: as the version has it)."""

    replicas: ReplicaCount | None = None
    """How many pods are tested, 1 to 8 (default: as many as the version has)."""

    requires_ha: bool | None = None
    """Whether every tested pod must run on a node of its own (default: as the version has it)."""

    network_egress_policy: EgressPolicy | None = None
    """What the tested pods may connect to, NONE or PUBLIC (default: as the version has it)."""

    cancel: bool = False
    """Set it to true to end the test: what it started is removed, and checks that have not ended are aborted
    (default false). It cannot be taken back. A canceled test of a gate refuses its version, as a failed one
    does."""

    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31536000)] | None = None
    """Seconds after its end at which the ModelTest is deleted, with its report, 0 to 31536000. Absent means
    that it is kept. Leave it absent for what a tool applies again, as it would run again. The tests of a gate
    are kept as the gate says, whatever stands here."""


ModelTestSpec.rules = (
    *DATASET_RULES,
    *frozen_fields(
        ModelTestSpec,
        but=["cancel", "ttl_seconds_after_finished"],
        advice="a test runs once; create a new ModelTest instead",
    ),
    Rule(
        "!oldSelf.cancel || self.cancel",
        "cancel cannot be taken back; create a new ModelTest instead",
        ".cancel",
    ),
)


class CheckStatus(ApiModel):
    """How one check ended."""

    status: TestStatus
    """The word for it: not_tested, queued, in_progress, succeeded, warning, failed, skipped, aborted or
    canceled."""

    message: Annotated[str, Field(max_length=4096)] = ""
    """What was found, and for a failure the cause."""


class TestCounts(ApiModel):
    """How much was sent."""

    rows: int = 0
    """Rows predicted."""

    requests: int = 0
    """Requests sent."""


class ReportRef(ApiModel):
    """The full report of a test and the log of its runner, compressed, in a ConfigMap."""

    config_map: str
    """Name of the ConfigMap; `modelyard report` reads it."""

    length: int
    """Bytes of the report, not compressed."""

    sha256: str
    """SHA-256 of the report, 64 hex digits."""


class ModelTestStatus(ApiModel):
    """How the test goes, or how it ended."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: the test has ended, with whatever verdict. Succeeded: its verdict. ReportStored: whether its full
    report is kept."""

    overall_status: TestStatus = "not_tested"
    """One word for the whole: not_tested, queued, in_progress, succeeded, warning, failed, skipped, aborted
    or canceled."""

    testing_status: Annotated[dict[str, CheckStatus], Field(max_length=16)] = {}
    """The same by check: longRunningService, errorCheck, nullValueImputation, sideEffects."""

    started_at: Timestamp | None = None
    """When the test's Job was made."""

    completed_at: Timestamp | None = None
    """When the verdict was reached."""

    counts: TestCounts | None = None
    """How much was sent."""

    columns: Columns | None = None
    """The columns of the data set and their datatypes, if the errorCheck succeeded on them; absent where they are
    not of one datatype each, or too many to list."""

    job: str | None = None
    """Name of the test's Job; its pod's log says more."""

    workload: str | None = None
    """Name of the Deployment that is tested: the candidate's own for a test of the gate, otherwise a copy that
    is removed when the test ends."""

    attempts: int = 0
    """How many Jobs were made: a run whose pod was evicted or whose node was lost is repeated once."""

    queue_position: int | None = None
    """Place among the tests of the model that wait for their turn, 1 being the next; absent unless it
    waits."""

    report: ReportRef | None = None
    """Where the full report and the log are kept; absent until they are."""


class ModelTest(Resource):
    """One run of the checks against one version of a model. It runs once, to its end; set spec.cancel
    to end it sooner."""

    kind: ClassVar[Kind] = MODEL_TEST
    unseen: ClassVar[Mapping[str, Any]] = {"observedGeneration": -1, "overallStatus": "not_tested"}
    rules: ClassVar[tuple[Rule, ...]] = (LABEL_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Version", ".spec.versionRef.name"),
        Column("Status", ".status.overallStatus"),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Succeeded")].message'),
    )

    spec: ModelTestSpec
    """What to test; only cancel and ttlSecondsAfterFinished can be changed."""

    status: ModelTestStatus = ModelTestStatus()
    """What is; written by the operator."""
