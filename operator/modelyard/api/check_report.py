"""The full report of a run of the checks, and how it travels in the log of the runner.

The runner prints lines for people. Among them stand two kinds of lines for us: after each check one with its
outcome, so that a run which is ended early has not lost it, and at the end the report, compressed, in pieces.
Its length and SHA-256 are in the summary, so that a log which was cut, rotated or lost is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field, ValidationError

from modelyard.api.check_plan import CheckCounts, CheckName, CheckOutcome, CheckStatus, ReportDigest, Wire

REPORT_VERSION: Literal[1] = 1
OUTCOME_PREFIX = "modelyard-outcome "
REPORT_PREFIX = "modelyard-report "

MAX_REPORT = 512 * 1024
"""Bytes of a report's JSON; the runner leaves findings out until it fits."""

MAX_LOG = 256 * 1024
"""Bytes of lines for people that the runner prints; beyond that it says once that it says no more."""

MAX_FINDINGS = 50
"""Findings of one check in a report."""

_DAMAGED = "the report in the log of the test is cut off or damaged"
_PIECE = 4096
"""Characters of one line: below what container runtimes split."""


class Finding(Wire):
    """One thing that a check found."""

    where: str
    """What it is about: `row 3`, `column "age"`, `replica hello-1-abc`."""

    message: str


class CheckRecord(Wire):
    """How one check went, in full."""

    name: CheckName
    severity: Literal["skip", "warn", "fail"]
    """What a failure of it means."""

    status: CheckStatus
    message: str
    duration_seconds: float = Field(default=0.0, ge=0)
    rows: int = Field(default=0, ge=0)
    """Rows sent, each as often as it was sent."""

    requests: int = Field(default=0, ge=0)
    facts: dict[str, str | int | float] = {}
    """What the check went by: tolerances, sample size, seed."""

    findings: tuple[Finding, ...] = ()
    findings_left_out: int = Field(default=0, ge=0)


class DatasetRecord(Wire):
    """The data that was sent."""

    name: str
    format: str
    rows: int
    columns: tuple[str, ...]
    columns_left_out: int = Field(default=0, ge=0)
    """Further columns, whose names are too many to list."""

    sha256: str


class CheckReport(Wire):
    """Everything that a run has to say."""

    v: Literal[1] = REPORT_VERSION
    test: str
    model: str
    version: str
    target_type: str
    replicas: tuple[str, ...] = ()
    dataset: DatasetRecord | None = None
    overall_status: CheckStatus
    checks: tuple[CheckRecord, ...] = ()
    counts: CheckCounts = CheckCounts()
    duration_seconds: float = 0.0
    error: str | None = None

    def to_bytes(self) -> bytes:
        """UTF-8 JSON of at most MAX_REPORT bytes; findings are left out from the longest list on until it fits."""
        report = self
        while len(encoded := _encode(report)) > MAX_REPORT and any(check.findings for check in report.checks):
            report = report._shorter()
        return encoded

    def _shorter(self) -> CheckReport:
        longest = max(self.checks, key=lambda check: len(check.findings))
        kept = longest.findings[: len(longest.findings) // 2]
        left_out = longest.findings_left_out + len(longest.findings) - len(kept)
        cut = longest.model_copy(update={"findings": kept, "findings_left_out": left_out})
        checks = tuple(cut if check is longest else check for check in self.checks)
        return self.model_copy(update={"checks": checks})


def parse_report(content: bytes) -> CheckReport:
    """The report in its bytes; ValueError with one sentence when they hold none."""
    try:
        return CheckReport.model_validate_json(content)
    except ValidationError as error:
        raise ValueError(f"not a report of the checks: {error.errors()[0]['msg']}") from None


def digest_of(content: bytes) -> ReportDigest:
    """What the summary says of a report's bytes."""
    return ReportDigest(length=len(content), sha256=hashlib.sha256(content).hexdigest())


def outcome_line(name: CheckName, outcome: CheckOutcome) -> str:
    """The line that tells a check's outcome as soon as it is known."""
    return OUTCOME_PREFIX + json.dumps({"name": name, **outcome.model_dump(mode="json")})


def report_lines(content: bytes) -> Iterator[str]:
    """The lines that carry a report's bytes."""
    text = base64.b64encode(zlib.compress(content, 9)).decode()
    for start in range(0, len(text), _PIECE):
        yield REPORT_PREFIX + text[start : start + _PIECE]


def outcomes_in(log: str) -> dict[CheckName, CheckOutcome]:
    """The outcomes that a log tells; lines that are damaged tell none."""
    found: dict[CheckName, CheckOutcome] = {}
    for line in _with_prefix(log, OUTCOME_PREFIX):
        try:
            wire = json.loads(line)
            found[CheckName(wire["name"])] = CheckOutcome.model_validate(wire)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def report_in(log: str, digest: ReportDigest) -> bytes:
    """The report's bytes in a log; ValueError with one sentence when they are not what the summary promised."""
    text = "".join(_with_prefix(log, REPORT_PREFIX))
    if not text:
        raise ValueError("the log of the test holds no report")
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(text, validate=True), MAX_REPORT + 1)
    except (binascii.Error, zlib.error):
        raise ValueError(_DAMAGED) from None
    if not unpacker.eof:
        raise ValueError(_DAMAGED)
    if digest_of(content) != digest:
        raise ValueError(
            f"the report in the log of the test is not the one of {digest.length} bytes that it told of"
        )
    return content


def without_machine_lines(log: str) -> str:
    """The log without the lines that are for us."""
    return "".join(
        line for line in log.splitlines(keepends=True) if not line.startswith((OUTCOME_PREFIX, REPORT_PREFIX))
    )


def _with_prefix(log: str, prefix: str) -> Iterable[str]:
    return (line.removeprefix(prefix) for line in log.splitlines() if line.startswith(prefix))


def _encode(report: CheckReport) -> bytes:
    wire = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(wire, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
