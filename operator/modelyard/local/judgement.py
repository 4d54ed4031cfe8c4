"""A report of the checks, with what was seen of the server's processes besides. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.api.check_plan import CheckName, CheckStatus
from modelyard.api.check_report import CheckRecord, CheckReport, Finding

_BAD = (CheckStatus.FAILED, CheckStatus.WARNING)
_ORDER = (CheckStatus.FAILED, CheckStatus.ABORTED, CheckStatus.WARNING)


def with_fault(report: CheckReport, problem: str) -> CheckReport:
    """The server is none that a cluster can use: the first check has not gone well, whatever the others found."""
    first, *others = report.checks
    return _rolled_up(report, [_explained(first, problem), *others])


def with_end(report: CheckReport, problem: str, during: CheckName) -> CheckReport:
    """The server ended while a check ran: that one has not gone well, later ones did not run."""
    names = [one.name for one in report.checks]
    place = names.index(during)
    checks = [
        *report.checks[:place],
        _explained(report.checks[place], problem),
        *(_not_run(one, during) for one in report.checks[place + 1 :]),
    ]
    return _rolled_up(report, checks)


def with_doubts(report: CheckReport, doubts: Sequence[Finding]) -> CheckReport:
    """What would go wrong in a cluster makes a good first check a warning."""
    if not doubts:
        return report
    first, *others = report.checks
    status = CheckStatus.WARNING if first.status is CheckStatus.SUCCEEDED else first.status
    message = f"{first.message}; in a cluster: {'; '.join(one.message for one in doubts)}"
    update = {"status": status, "message": message, "findings": (*first.findings, *doubts)}
    return _rolled_up(report, [first.model_copy(update=update), *others])


def _explained(record: CheckRecord, problem: str) -> CheckRecord:
    if record.status in _BAD and problem in record.message:
        return record
    if record.status in _BAD:
        return record.model_copy(update={"message": f"{record.message}; {problem}"})
    message = problem[:1].upper() + problem[1:]
    return record.model_copy(update={"status": CheckStatus.FAILED, "message": message})


def _not_run(record: CheckRecord, during: CheckName) -> CheckRecord:
    if record.status is not CheckStatus.ABORTED:
        return record
    return record.model_copy(update={"message": f"Not run: the server had ended during {during}"})


def _rolled_up(report: CheckReport, checks: Sequence[CheckRecord]) -> CheckReport:
    found = {one.status for one in checks}
    overall = next((word for word in _ORDER if word in found), CheckStatus.SUCCEEDED)
    return report.model_copy(update={"checks": tuple(checks), "overall_status": overall, "error": None})
