"""Condition types and reasons: the words of `status` that tools may match on.

`docs/troubleshooting.md` says of each type and of each reason what it means and what to do.
"""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """Types of conditions over all kinds, in the order in which a status lists them."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    AVAILABLE = "Available"
    SERVING = "Serving"
    SOURCE_READY = "SourceReady"
    ENVIRONMENT_READY = "EnvironmentReady"
    WORKLOAD_AVAILABLE = "WorkloadAvailable"
    TESTS_PASSED = "TestsPassed"
    TEMPLATE_MODIFIED = "TemplateModified"
    PINNED = "Pinned"
    SUCCEEDED = "Succeeded"
    REPORT_STORED = "ReportStored"


class Reason(StrEnum):
    """Reasons over all kinds. Each value is its own name in the cluster."""

    # in order, or on the way there
    AS_DESIRED = "AsDesired"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    SUPERSEDED = "Superseded"
    DRAINING = "Draining"
    SERVING = "Serving"
    NOT_SERVING = "NotServing"
    NO_VERSIONS = "NoVersions"
    SERVING_VERSION_DELETED = "ServingVersionDeleted"
    RESOLVED = "Resolved"
    USED_BY_TAG = "UsedByTag"
    COMPLETED = "Completed"

    # waiting for a step
    LABEL_PENDING = "LabelPending"
    STARTING = "Starting"
    TESTING = "Testing"
    PROMOTING = "Promoting"
    NOT_TESTED = "NotTested"
    NOT_STARTED = "NotStarted"
    WAITING_FOR_VERSION = "WaitingForVersion"
    RUNNING = "Running"
    RUN_AGAIN = "RunAgain"
    STOPPED = "Stopped"
    QUEUED = "Queued"
    READING_LOG = "ReadingLog"

    # waiting for something named
    MODEL_NOT_FOUND = "ModelNotFound"
    VERSION_NOT_FOUND = "VersionNotFound"
    ENVIRONMENT_NOT_FOUND = "EnvironmentNotFound"
    ENVIRONMENT_VERSION_NOT_FOUND = "EnvironmentVersionNotFound"
    ENVIRONMENT_NOT_READY = "EnvironmentNotReady"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    INSUFFICIENT_NODES = "InsufficientNodes"
    UNSCHEDULABLE = "Unschedulable"
    POD_CREATION_REFUSED = "PodCreationRefused"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    NOT_IN_REGISTRY = "NotInRegistry"

    # a person must act
    NAME_TAKEN = "NameTaken"
    LABEL_TAKEN = "LabelTaken"
    START_SCRIPT_MISSING = "StartScriptMissing"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    INVALID_DATASET = "InvalidDataset"
    INVALID_IMAGE = "InvalidImage"
    INVALID_SPEC = "InvalidSpec"
    TEMPLATE_LOST = "TemplateLost"
    CODE_LOST = "CodeLost"
    TEST_FAILED = "TestFailed"
    TESTS_FAILED = "TestsFailed"
    CANDIDATE_REJECTED = "CandidateRejected"
    FORBIDDEN = "Forbidden"

    # a model that does not run
    DEGRADED = "Degraded"
    CRASHING = "Crashing"
    OUT_OF_MEMORY = "OutOfMemory"
    NOT_ANSWERING = "NotAnswering"

    # a verdict
    PASSED = "Passed"
    WARNING = "Warning"
    CANCELED = "Canceled"
    ABORTED = "Aborted"
    STORED = "Stored"
    REPORT_INCOMPLETE = "ReportIncomplete"
    CONTAINERS_ADDED = "ContainersAdded"
