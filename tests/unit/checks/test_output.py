"""What the runner prints: bounded for people, whole for the operator."""

from __future__ import annotations

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.check_report import MAX_LOG, CheckReport, digest_of, outcomes_in, parse_report, report_in
from modelyard.checks.output import Output
from modelyard.checks.report import report_without_plan
from modelyard.checks.run import Progress


def printed(seconds: float = 12.34) -> tuple[Output, list[str]]:
    """An output, and the list of its lines."""
    lines: list[str] = []
    return Output(lines.append, lambda: seconds), lines


def test_a_line_for_people_begins_with_the_time() -> None:
    output, lines = printed()

    output.say("2 replicas are up")

    assert lines == ["    12.3 s  2 replicas are up"]


def test_what_is_said_stays_one_line_of_utf_8() -> None:
    output, lines = printed()

    output.say("a column\nwith \ud800 in it")

    assert lines == ["    12.3 s  a column with ? in it"]


def test_the_log_ends_with_a_word_on_its_end_and_stays_within_its_bound() -> None:
    output, lines = printed()

    for _ in range(MAX_LOG // 1000 + 5):
        output.say("x" * 1000)

    assert (
        lines[-1] == "    12.3 s  the log has reached its limit and says no more; the report has what matters"
    )
    assert lines.count(lines[-1]) == 1
    size = sum(len(line) + 1 for line in lines)
    assert MAX_LOG - 1300 < size <= MAX_LOG


def test_what_the_operator_reads_is_told_whatever_was_said_before() -> None:
    output, lines = printed()
    for _ in range(MAX_LOG // 1000 + 5):
        output.say("x" * 1000)
    outcome = CheckOutcome(status=CheckStatus.FAILED, message="row 1: no number")
    content = CheckReport(
        test="t", model="m", version="1.0", target_type="Regression", overall_status=CheckStatus.FAILED
    ).to_bytes()

    output.tell(CheckName.ERROR_CHECK, outcome)
    output.hand_over(content)

    log = "\n".join(lines)
    assert outcomes_in(log) == {CheckName.ERROR_CHECK: outcome}
    assert report_in(log, digest_of(content)) == content


def test_a_run_without_a_plan_reports_why() -> None:
    outcome = CheckOutcome(status=CheckStatus.ABORTED, message="m" * 3000)
    summary = CheckSummary(
        overall_status=CheckStatus.ABORTED,
        checks={CheckName.LONG_RUNNING_SERVICE: outcome},
        duration_seconds=1.5,
        error="e" * 3000,
    )

    report = report_without_plan(Progress(), summary)

    assert (report.test, report.model, report.version, report.target_type) == ("", "", "", "")
    assert (report.overall_status, report.duration_seconds) == (CheckStatus.ABORTED, 1.5)
    assert report.error == "e" * 1999 + "…"
    [check] = report.checks
    assert (check.name, check.severity, check.status) == ("longRunningService", "fail", "aborted")
    assert check.message == "m" * 1999 + "…"
    assert report_without_plan(Progress(), summary.model_copy(update={"error": None})).error is None
    assert parse_report(report.to_bytes()) == report
