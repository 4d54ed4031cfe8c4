"""What the runner of a test leaves beside its summary: a log with its lines, the outcomes and the full report."""

from __future__ import annotations

from typing import Any

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckSummary
from modelyard.api.check_report import CheckRecord, CheckReport, digest_of, outcome_line, report_lines

Manifest = dict[str, Any]


def with_log(summary: Manifest, test: str = "team-a/hello-1-check") -> tuple[Manifest, str]:
    """The summary with the digest of the report, and the log that holds it."""
    parsed = CheckSummary.model_validate(summary)
    content = _report(parsed, test).to_bytes()
    lines = ["     0.0 s  the checks begin"]
    for name, outcome in parsed.checks.items():
        lines += [f"     1.0 s  {name}: {outcome.status}", outcome_line(name, outcome)]
    lines += ["     1.5 s  the checks are done", *report_lines(content)]
    return {**summary, "report": digest_of(content).model_dump(mode="json")}, "\n".join(lines) + "\n"


def _report(summary: CheckSummary, test: str) -> CheckReport:
    return CheckReport(
        test=test,
        model="hello",
        version="1.0",
        target_type="Regression",
        overall_status=summary.overall_status,
        checks=tuple(_record(name, outcome) for name, outcome in summary.checks.items()),
        counts=summary.counts,
        duration_seconds=summary.duration_seconds,
        error=summary.error,
    )


def _record(name: CheckName, outcome: CheckOutcome) -> CheckRecord:
    return CheckRecord(name=name, severity="fail", status=outcome.status, message=outcome.message)
