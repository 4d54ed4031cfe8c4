"""What the operator asks of a test Job (`CheckPlan`) and what comes back from it (`CheckSummary`).

The plan is a file mounted into the Job. The summary leaves by the container's termination message, of
which the kubelet keeps 4096 bytes: `CheckSummary.to_termination` always fits, `parse_summary` reads it back.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel, to_snake

SUMMARY_VERSION: Literal[1] = 1
TERMINATION_LIMIT = 4096
"""Bytes of a container's termination message that the kubelet keeps."""

MIN_TERMINATION_LIMIT = 1024
"""A summary without any message is always smaller than this."""

MAX_COUNT = 2**53
_ELLIPSIS = "…"


class CheckStatus(StrEnum):
    """The nine words for the state of a test or of one of its checks."""

    NOT_TESTED = "not_tested"
    QUEUED = "queued"
    FAILED = "failed"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"
    IN_PROGRESS = "in_progress"
    ABORTED = "aborted"
    WARNING = "warning"
    SKIPPED = "skipped"


class CheckName(StrEnum):
    """The checks, in the order in which they run."""

    LONG_RUNNING_SERVICE = "longRunningService"
    ERROR_CHECK = "errorCheck"
    NULL_VALUE_IMPUTATION = "nullValueImputation"
    SIDE_EFFECTS = "sideEffects"


ON_DATA = tuple(name for name in CheckName if name is not CheckName.LONG_RUNNING_SERVICE)
"""The checks that need a data set: a test in which one of them is asked for is brought its data."""

ON_GOOD_PREDICTIONS = tuple(name for name in ON_DATA if name is not CheckName.ERROR_CHECK)
"""Those that build on the errorCheck: not run after it failed, and skipped where there is no data set."""


class Wire(BaseModel):
    """What travels between the operator and the runner: camelCase JSON, unknown keys ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", allow_inf_nan=False
    )


_HOST_NAME = re.compile(r"(?=.*[A-Za-z_])[A-Za-z0-9_]([-.A-Za-z0-9_]*[A-Za-z0-9_])?\.?")


def _host_and_port(address: str) -> str:
    host, _, port = address.removeprefix("https://").rpartition(":")
    right_port = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536
    if not right_port or not (_is_ip(host) or _HOST_NAME.fullmatch(host)):
        raise ValueError(
            "must be a host and a port, as 10.0.0.1:8080, [fd00::1]:8080 or models.example.com:80"
        )
    return address


def _is_ip(host: str) -> bool:
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        return (ipaddress.ip_address(host[1:-1] if bracketed else host).version == 6) == bracketed
    except ValueError:
        return False


Address = Annotated[str, AfterValidator(_host_and_port)]
"""A host and a port. Plans for a Job name IP addresses, since a Job may have no DNS. `https://` before it is heeded."""


class Replica(Wire):
    """One pod of the version under test, and where it listens."""

    name: str = Field(min_length=1)
    uid: str
    address: Address


Severity = Literal["skip", "warn", "fail"]


class Tolerance(Wire):
    """Two predictions are equal when |a - b| <= absolute + relative * |b|."""

    absolute: float = Field(default=1e-6, ge=0)
    relative: float = Field(default=1e-6, ge=0)


class CheckConfiguration(Wire):
    """What a failure of each check means; `skip` leaves the check out."""

    long_running_service: Literal["fail"] = "fail"
    error_check: Literal["fail", "skip"] = "fail"
    null_value_imputation: Severity = "warn"
    side_effects: Severity = "warn"
    tolerance: Tolerance = Tolerance()
    sample_rows: int = Field(default=100, ge=1)

    def severity(self, name: CheckName) -> Severity:
        """What a failure of one check means: the field that has the check's name."""
        found: Severity = getattr(self, to_snake(name))
        return found

    @property
    def needs_data(self) -> bool:
        """Whether one of the checks that are asked for needs a data set."""
        return any(self.severity(name) != "skip" for name in ON_DATA)


class CheckPlan(Wire):
    """Everything that a run of the checks must know; the runner asks nobody else."""

    test: str
    """`namespace/name` of the ModelTest."""

    model: str
    version: str
    """Name of the model and label of the version, for messages."""

    url_prefix: str = Field(pattern=r"^(/[^\s?#]*)?$")
    service: Address
    """The Service in front of the replicas."""

    replicas: tuple[Replica, ...] = ()
    """What stands behind the Service; empty when only `service` is known."""

    target_type: Literal["Binary", "Regression", "Multiclass", "Anomaly"]
    target_name: str
    positive_class_label: str | None = None
    negative_class_label: str | None = None
    class_labels: tuple[str, ...] = ()
    configuration: CheckConfiguration = CheckConfiguration()
    dataset: str | None = Field(default=None, pattern=r"^[^/\x00]+$")
    """File name of the data set in the data folder."""

    dataset_format: Literal["csv", "json"] = "json"

    data_can_change: bool = False
    """Whether the data set lies where it can be mended: then one that cannot be used says nothing about the model."""

    timeout_seconds: int = Field(ge=1)
    """From the start of the runner to its verdict."""

    @model_validator(mode="after")
    def _has_its_labels(self) -> CheckPlan:
        if self.target_type == "Multiclass" and not self.class_labels:
            raise ValueError("classLabels must be given for the target type Multiclass")
        return self

    def labels(self) -> tuple[str, str]:
        """Positive and negative class label; "1" and "0" where the model does not say."""
        positive, negative = self.positive_class_label, self.negative_class_label
        return ("1" if positive is None else positive, "0" if negative is None else negative)

    def to_json(self) -> str:
        """The plan as the file that the runner reads."""
        return self.model_dump_json(by_alias=True, indent=1)


class CheckOutcome(Wire):
    """How one check ended, and why."""

    status: CheckStatus
    message: str


class CheckCounts(Wire):
    """Rows of the data set that have a good prediction, and prediction requests sent."""

    rows: int = Field(default=0, ge=0, le=MAX_COUNT)
    requests: int = Field(default=0, ge=0, le=MAX_COUNT)


class ReportDigest(Wire):
    """How long the full report is, and its SHA-256: what was read elsewhere is compared with it."""

    length: int = Field(ge=0, le=MAX_COUNT)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class CheckSummary(Wire):
    """The result of a run. `error` is set when the run says nothing about the model, and says why."""

    v: Literal[1] = SUMMARY_VERSION
    overall_status: CheckStatus
    checks: dict[CheckName, CheckOutcome]
    counts: CheckCounts = CheckCounts()
    duration_seconds: float = Field(default=0.0, ge=0, le=MAX_COUNT)
    error: str | None = None
    report: ReportDigest | None = None
    """The report in the runner's log; absent when there is none."""

    unusable_data: Literal[True] | None = None
    """Set when the data set is at fault: nothing was asked of the model."""

    columns: dict[str, str] | None = None
    """Datatypes of the columns of the data set, by their names, if the model predicted all of its rows."""

    def to_termination(self, limit: int = TERMINATION_LIMIT) -> bytes:
        """Valid UTF-8 JSON of at most `limit` bytes; messages are shortened until it fits. Columns are left out where
        they leave too little for the rest, whatever that is: the same data is told of in every run, or in none.

        ValueError if `limit` is below MIN_TERMINATION_LIMIT.
        """
        if limit < MIN_TERMINATION_LIMIT:
            raise ValueError(f"a summary needs at least {MIN_TERMINATION_LIMIT} bytes, {limit} are too few")
        wire = self.model_dump(mode="python", by_alias=True, exclude_none=True)
        if len(_compact(wire.get("columns"))) > limit - MIN_TERMINATION_LIMIT - len('"columns":,'):
            wire.pop("columns", None)
        longest, encoded = limit, _encode(wire, limit)
        while len(encoded) > limit:
            longest = longest * 3 // 4
            encoded = _encode(wire, longest)
        return encoded


def parse_summary(text: str) -> CheckSummary:
    """The summary in a termination message; ValueError with one sentence when it is none."""
    if not text.strip():
        raise ValueError("the termination message is empty: the check ended without a summary")
    try:
        wire = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(_not_json(text, error)) from None
    except (ValueError, RecursionError):  # A number of thousands of digits, or lists nested as deep.
        raise ValueError(f"the termination message is not a check summary: {_excerpt(text)}") from None
    if not isinstance(wire, dict) or "overallStatus" not in wire:
        raise ValueError(f"the termination message is not a check summary: {_excerpt(text)}")
    if wire.get("v") != SUMMARY_VERSION:
        raise ValueError(
            f"the check summary has version {_excerpt(str(wire.get('v')))}, only {SUMMARY_VERSION} is known"
        )
    try:
        return CheckSummary.model_validate(wire)
    except ValidationError as error:
        raise ValueError(f"the check summary is malformed: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """The first problem as `field.path: what is wrong`, without the offending input."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    if text.lstrip().startswith('{"v":'):
        return f"the check summary is cut off or damaged at character {error.pos} of {len(text)}"
    return f"the termination message is not a check summary: {_excerpt(text)}"


def _excerpt(text: str, longest: int = 200) -> str:
    return json.dumps(_shorten(" ".join(text.split()), longest), ensure_ascii=False)


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: max(0, longest - 1)] + _ELLIPSIS


def _encode(wire: Mapping[str, Any], longest: int) -> bytes:
    """Compact JSON with no message longer than `longest` characters; lone surrogates become `?`."""
    short = dict(wire)
    short["checks"] = {
        name: {**outcome, "message": _shorten(outcome["message"], longest)}
        for name, outcome in wire["checks"].items()
    }
    if "error" in short:
        short["error"] = _shorten(short["error"], longest)
    return _compact(short)


def _compact(wire: object) -> bytes:
    text = json.dumps(wire, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")
