"""ModelTest: one run of the checks against one version."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.custom_model import DATASET_UNLESS_SKIPPED, TestConfiguration, TestTimeout
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
    """What to test and with which data. It cannot be changed."""

    version_ref: ObjectRef
    """The CustomModelVersion to test."""

    dataset: DatasetSource | None = None
    """The rows to predict on; required unless configuration.errorCheck is skip."""

    configuration: TestConfiguration = TestConfiguration()
    """Which checks run, and what a failure means."""

    timeout_seconds: TestTimeout = 600
    """Seconds after which the test counts as failed, 10 to 86400 (default 600)."""


ModelTestSpec.rules = (
    DATASET_UNLESS_SKIPPED,
    *frozen_fields(ModelTestSpec, advice="a test runs once; create a new ModelTest instead"),
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


class ModelTestStatus(ApiModel):
    """How the test goes, or how it ended."""

    observed_generation: int = -1
    """The metadata.generation that this status describes; -1 until the operator has seen the object."""

    conditions: Conditions = []
    """Ready: the test has ended, with whatever verdict. Succeeded: its verdict."""

    overall_status: TestStatus = "not_tested"
    """One word for the whole: not_tested, queued, in_progress, succeeded, warning, failed, skipped, aborted
    or canceled."""

    testing_status: Annotated[dict[str, CheckStatus], Field(max_length=16)] = {}
    """The same by check: longRunningService, errorCheck."""

    started_at: Timestamp | None = None
    """When the test's Job was made."""

    completed_at: Timestamp | None = None
    """When the verdict was reached."""

    counts: TestCounts | None = None
    """How much was sent."""

    job: str | None = None
    """Name of the test's Job; its pod's log says more."""


class ModelTest(Resource):
    """One run of the checks against one version of a model. It runs once, to its end; delete it to cancel
    it."""

    kind: ClassVar[Kind] = MODEL_TEST
    rules: ClassVar[tuple[Rule, ...]] = (LABEL_NAME,)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Version", ".spec.versionRef.name"),
        Column("Status", ".status.overallStatus"),
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Message", '.status.conditions[?(@.type=="Succeeded")].message'),
    )

    spec: ModelTestSpec
    """What to test; it cannot be changed."""

    status: ModelTestStatus = ModelTestStatus()
    """What is; written by the operator."""
