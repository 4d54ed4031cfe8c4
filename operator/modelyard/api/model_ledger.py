"""ModelLedger: the facts of one model, which nothing else may contradict."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.columns import Columns
from modelyard.api.kinds import MODEL_LEDGER, Kind
from modelyard.api.markers import Column, Rule, as_list_map, atomic
from modelyard.api.meta import ApiModel, Resource, Timestamp
from modelyard.api.names import SERVICE_NAME

Key = Annotated[str, Field(min_length=1, max_length=64)]

MAX_PROMOTIONS = 20
MAX_MESSAGE = 1024


class ServingFact(ApiModel):
    """Which version serves, decided before anything is switched."""

    key: Key
    """Key of the version."""

    name: str
    """Name of the version."""

    label: str
    """Label of the version."""

    since: Timestamp
    """When it was decided."""

    switched_at: Timestamp | None = None
    """When the model's Service was seen to select it; absent until then."""

    previous_key: Key | None = None
    """Key of the version that callers were with before; its pods end some time after the switch."""


class TestFact(ApiModel):
    """How one test of the gate ended."""

    test: str
    """Name of the test within the gate; "startup" when the version never came up."""

    name: str | None = None
    """Name of the ModelTest; absent when none was made."""

    result: Literal["Passed", "Failed"]
    """Passed or Failed."""

    message: Annotated[str, Field(max_length=MAX_MESSAGE)] = ""
    """What was found, at most 1024 characters."""

    required: bool = True
    """Whether the version had to pass it."""

    warned: bool = False
    """Whether it passed with a warning, which the message tells."""


class VerdictFact(ApiModel):
    """What the gate said about one version, and about which bytes."""

    result: Literal["Passed", "Failed"]
    """Passed: it may serve. Failed: it is refused for as long as the gate stays the same."""

    at: Timestamp
    """When the verdict was reached."""

    gate: str
    """Hash of the gate that was asked."""

    image: str
    """The image that was tested."""

    code_digest: str
    """Digest of the files that were tested."""

    template_hash: str
    """Hash of the pod template that was tested."""

    tests: Annotated[list[TestFact], Field(max_length=16), atomic("list")] = []
    """How each test ended."""

    columns: Columns | None = None
    """The columns that the version predicts from, as far as a test of a gate that it passed tells of them: what
    the gateway says of its inputs. Absent when none does, and of old versions."""


class VersionFact(ApiModel):
    """What is known for good about one version."""

    key: Key
    """Key of the version."""

    name: str
    """Name of the version."""

    label: str
    """The label that it was given; no other content ever gets it."""

    verdict: VerdictFact | None = None
    """What the gate said; absent until it did."""


class TestingFact(ApiModel):
    """Whose turn it is: one test of a model runs at a time."""

    name: str
    """Name of the ModelTest."""

    uid: str
    """Its uid: a test that was made again waits for its turn again."""

    since: Timestamp
    """When it got its turn."""


class PromotionFact(ApiModel):
    """One change of what serves."""

    key: Key
    """Key of the version that came to serve."""

    label: str
    """Its label."""

    at: Timestamp
    """When it was decided."""

    reason: str
    """Why, in one word."""

    from_key: Key | None = None
    """Key of the version that served before; absent for the first."""


class ModelLedgerSpec(ApiModel):
    """The facts of one model."""

    model_name: str
    """Name of the CustomModel."""

    serving: ServingFact | None = None
    """Which version serves; absent until the first was promoted."""

    versions: Annotated[list[VersionFact], as_list_map("key")] = []
    """What is known about each version."""

    testing: TestingFact | None = None
    """The test whose turn it is, decided before it starts; what has ended or is gone has no turn."""

    promotions: Annotated[list[PromotionFact], Field(max_length=MAX_PROMOTIONS), atomic("list")] = []
    """The last 20 promotions, oldest first."""

    highest_label: str | None = None
    """The highest label ever given, so that it is not given again after its version was deleted."""

    highest_forgotten_label: str | None = None
    """The highest label among deleted versions whose facts are no longer kept: nothing up to it is given."""


class ModelLedger(Resource):
    """The facts of one model: labels given, verdicts, promotions. Only the operator writes it, and writes it
    before it acts; it alone decides what serves."""

    kind: ClassVar[Kind] = MODEL_LEDGER
    rules: ClassVar[tuple[Rule, ...]] = (SERVICE_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Serving", ".spec.serving.label"),
        Column("Version", ".spec.serving.name"),
        Column("Since", ".spec.serving.since", "date"),
        Column("Highest", ".spec.highestLabel"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    )

    spec: ModelLedgerSpec
    """The facts; written by the operator."""
