"""The full report of a run, from what it wrote down. Bounded in every part, so that only findings need cutting."""

from __future__ import annotations

from modelyard.api.check_plan import CheckConfiguration, CheckName, CheckSummary
from modelyard.api.check_report import CheckRecord, CheckReport, DatasetRecord, Finding
from modelyard.checks.data import DataSet
from modelyard.checks.notes import Notes
from modelyard.checks.run import Progress, Run

_LONGEST_MESSAGE = 2000
_LONGEST_NAME = 100
_MOST_COLUMNS = 500


def report_of(run: Run, summary: CheckSummary) -> CheckReport:
    """Everything that a run has to say, at whichever point it ended."""
    plan = run.plan
    return CheckReport(
        test=plan.test,
        model=plan.model,
        version=plan.version,
        target_type=plan.target_type,
        replicas=tuple(f"{one.name} ({one.address})" for one in plan.replicas),
        dataset=_data_record(run.data) if run.data else None,
        overall_status=summary.overall_status,
        checks=_records(run.progress, summary, plan.configuration),
        counts=summary.counts,
        duration_seconds=summary.duration_seconds,
        error=_cut(summary.error, _LONGEST_MESSAGE) if summary.error else None,
    )


def report_without_plan(progress: Progress, summary: CheckSummary) -> CheckReport:
    """The report of a run that did not learn what to test."""
    return CheckReport(
        test="",
        model="",
        version="",
        target_type="",
        overall_status=summary.overall_status,
        checks=_records(progress, summary, CheckConfiguration()),
        duration_seconds=summary.duration_seconds,
        error=_cut(summary.error, _LONGEST_MESSAGE) if summary.error else None,
    )


def _records(
    progress: Progress, summary: CheckSummary, configuration: CheckConfiguration
) -> tuple[CheckRecord, ...]:
    return tuple(
        _record(name, summary, configuration, progress.notes.get(name, Notes())) for name in summary.checks
    )


def _record(
    name: CheckName, summary: CheckSummary, configuration: CheckConfiguration, notes: Notes
) -> CheckRecord:
    outcome = summary.checks[name]
    return CheckRecord(
        name=name,
        severity=configuration.severity(name),
        status=outcome.status,
        message=_cut(outcome.message, _LONGEST_MESSAGE),
        duration_seconds=notes.duration_seconds,
        rows=notes.rows,
        requests=notes.requests,
        facts=dict(notes.facts),
        findings=tuple(
            Finding(where=_cut(one.where, _LONGEST_NAME), message=_cut(one.message, _LONGEST_MESSAGE))
            for one in notes.findings
        ),
        findings_left_out=notes.left_out,
    )


def _data_record(data: DataSet) -> DatasetRecord:
    names = list(data.columns)
    return DatasetRecord(
        name=_cut(data.name, _LONGEST_NAME),
        format=data.format,
        rows=data.rows,
        columns=tuple(_cut(name, _LONGEST_NAME) for name in names[:_MOST_COLUMNS]),
        columns_left_out=max(0, len(names) - _MOST_COLUMNS),
        sha256=data.sha256,
    )


def _cut(text: str, longest: int) -> str:
    """Text as UTF-8 can say it: a data set may hold half a surrogate pair."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"
