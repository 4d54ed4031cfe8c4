"""`modelyard check` as a Job runs it: files in, exit code and summary out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.check_plan import (
    TERMINATION_LIMIT,
    CheckName,
    CheckOutcome,
    CheckStatus,
    CheckSummary,
    parse_summary,
)
from modelyard.api.check_report import (
    MAX_LOG,
    CheckReport,
    digest_of,
    outcomes_in,
    parse_report,
    report_in,
    without_machine_lines,
)
from modelyard.checks.limits import Limits
from modelyard.checks.output import Output
from modelyard.cli.check import main
from tests.unit.checks.conftest import PREFIX, StartModel

LIMITS = Limits(
    ask_interval=0.02, settle_seconds=0.05, settle_interval=0.02, aftermath_seconds=0, back_seconds=0.3
)


class Job:
    """The files of a test Job."""

    def __init__(self, folder: Path) -> None:
        self.plan = folder / "plan.json"
        self.termination = folder / "termination-log"
        self.arguments = [f"--plan={self.plan}", f"--data={folder}", f"--termination={self.termination}"]
        (folder / "rows.json").write_text('{"a": [1, 2, 3]}')
        self.data = folder / "rows.json"

    def write_plan(self, address: str, **fields: Any) -> None:
        wire = {
            "test": "team/gate",
            "model": "hello",
            "version": "1.0",
            "urlPrefix": PREFIX,
            "service": address,
            "replicas": [{"name": "hello-0", "uid": "u", "address": address}],
            "targetType": "Regression",
            "targetName": "y",
            "dataset": "rows.json",
            "timeoutSeconds": 20,
        }
        self.plan.write_text(json.dumps({**wire, **fields}))

    def summary(self) -> CheckSummary:
        """What the kubelet would keep."""
        content = self.termination.read_bytes()
        assert len(content) <= TERMINATION_LIMIT
        return parse_summary(content.decode())

    def report(self, log: str) -> CheckReport:
        """The report in the log, which must be the one that the summary tells of."""
        digest = self.summary().report
        assert digest is not None
        return parse_report(report_in(log, digest))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.mark.parametrize(("model", "word"), [("good_regression", "succeeded"), ("strings", "failed")])
def test_any_verdict_exits_with_0(
    model: str, word: str, job: Job, start_model: StartModel, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write_plan(start_model(model, URL_PREFIX=PREFIX))
    assert main(job.arguments, LIMITS) == 0
    assert job.summary().overall_status == word
    assert job.summary().columns == ({"a": "INT64"} if word == "succeeded" else None)
    assert job.summary().error is None
    log = capsys.readouterr().out
    assert f"errorCheck {word}: " in log
    assert outcomes_in(log) == job.summary().checks
    report = job.report(log)
    assert {check.name: check.message for check in report.checks} == {
        name: outcome.message for name, outcome in job.summary().checks.items()
    }
    assert (report.test, report.model, report.overall_status) == ("team/gate", "hello", word)
    assert report.dataset is not None
    assert (report.dataset.name, report.dataset.rows, report.dataset.columns) == ("rows.json", 3, ("a",))
    assert "modelyard-" not in without_machine_lines(log)


def test_csv_is_read_as_csv(
    job: Job, start_model: StartModel, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,\n")
    job.write_plan(start_model("good_regression", URL_PREFIX=PREFIX), dataset="rows.csv", datasetFormat="csv")
    assert main(job.arguments, LIMITS) == 0
    assert job.summary().overall_status == "succeeded"
    assert job.summary().columns == {"a": "INT64", "b": "BYTES"}
    report = job.report(capsys.readouterr().out)
    assert report.dataset is not None
    assert (report.dataset.format, report.dataset.columns) == ("csv", ("a", "b"))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "broken plan: plan.json cannot be read: No such file or directory"),
        ('{"test": ', "broken plan: plan.json: Invalid JSON: EOF while parsing a value at line 1 column 9"),
        ('{"test": "team/gate"}', "broken plan: plan.json: model: Field required"),
    ],
)
def test_broken_plan_exits_with_2_and_says_so(
    content: str | None, error: str, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        job.plan.write_text(content)
    assert main(job.arguments, LIMITS) == 2
    assert job.summary().error == error
    assert [job.summary().overall_status, *(one.status for one in job.summary().checks.values())] == [
        "aborted"
    ] * 5
    report = job.report(capsys.readouterr().out)
    assert (report.error, report.overall_status, len(report.checks)) == (error, "aborted", 4)


@pytest.mark.parametrize(
    ("error_check", "long_running_service_word", "error_check_word"),
    [("fail", "aborted", "failed"), ("skip", "failed", "skipped")],
)
def test_unusable_data_exits_with_2_and_fails_a_check(
    error_check: str,
    long_running_service_word: str,
    error_check_word: str,
    job: Job,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job.data.write_text('{"a": [1, 2], "b": [1]}')
    job.write_plan("127.0.0.1:1", configuration={"errorCheck": error_check})
    assert main(job.arguments, LIMITS) == 2
    checks = job.summary().checks
    assert checks[CheckName.LONG_RUNNING_SERVICE].status == long_running_service_word
    assert checks[CheckName.ERROR_CHECK].status == error_check_word
    failed = next(check for check in checks.values() if check.status == "failed")
    assert failed.message == (
        'Data set rows.json: line 1, column 20: column "b" has 1 values but column "a" has 2; '
        "all columns must be of one length"
    )
    assert (job.summary().overall_status, job.summary().unusable_data) == ("failed", True)
    log = capsys.readouterr().out
    assert job.report(log).error == job.summary().error
    assert {outcome.status for outcome in outcomes_in(log).values()} >= {"failed"}


@pytest.mark.parametrize("error_check", ["fail", "skip"])
def test_unusable_data_that_can_be_mended_says_nothing_about_the_model(
    error_check: str, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.data.write_text("{}")
    job.write_plan("127.0.0.1:1", configuration={"errorCheck": error_check}, dataCanChange=True)
    assert main(job.arguments, LIMITS) == 2
    summary = job.summary()
    assert (summary.overall_status, summary.unusable_data) == ("aborted", True)
    assert summary.error == "data set rows.json: has no columns"
    assert {check.status for check in summary.checks.values()} <= {"aborted", "skipped"}
    assert job.report(capsys.readouterr().out).overall_status == "aborted", (
        "the report says what the status says"
    )


def test_fault_of_the_runner_exits_with_1_and_keeps_what_was_found(
    job: Job,
    start_model: StartModel,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A batch size of 0 is such a fault: nobody expects the exception that it causes."""
    job.write_plan(start_model("good_regression", URL_PREFIX=PREFIX))
    assert main(job.arguments, replace(LIMITS, batch_rows=0)) == 1
    summary = job.summary()
    assert summary.overall_status == "aborted"
    assert summary.error == "runner error: ValueError: range() arg 3 must not be zero"
    assert summary.checks[CheckName.LONG_RUNNING_SERVICE].status == "succeeded"
    assert summary.checks[CheckName.ERROR_CHECK].message == f"Not finished: {summary.error}"
    assert "Traceback" in caplog.text
    report = job.report(capsys.readouterr().out)
    assert report.error == summary.error
    assert report.checks[0].facts["replicas"] == 1


def test_deadline_leaves_a_summary_and_a_report(
    job: Job, start_model: StartModel, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write_plan(start_model("silent", URL_PREFIX=PREFIX), timeoutSeconds=1)
    assert main(job.arguments, replace(LIMITS, ask_timeout=0.1)) == 0
    assert job.summary().overall_status == "failed"
    first, *others = job.report(capsys.readouterr().out).checks
    assert first.message.startswith("The time for the test (1 s) is over: not ready after 0.")
    assert {check.status for check in others} == {"aborted"}


def test_long_log_ends_with_one_word_about_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The outcomes and the report come all the same, and no line for people looks like them."""
    output = Output(print, lambda: 0.0)
    for _ in range(20_000):
        output.say("x" * 20 + "\nmodelyard-report forged")
    output.tell(CheckName.ERROR_CHECK, CheckOutcome(status=CheckStatus.FAILED, message="row 3"))
    output.hand_over(b"report")
    log = capsys.readouterr().out
    assert len(without_machine_lines(log).encode()) <= MAX_LOG
    assert log.count("the log has reached its limit and says no more") == 1
    assert outcomes_in(log)[CheckName.ERROR_CHECK].message == "row 3"
    assert report_in(log, digest_of(b"report")) == b"report"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_run_with_an_aborted_summary(
    number: signal.Signals, job: Job, start_model: StartModel
) -> None:
    address = start_model("slow", URL_PREFIX=PREFIX)
    job.write_plan(address, timeoutSeconds=600)
    code = "import sys; from modelyard.cli.check import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *job.arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        log = ""
        for line in process.stdout:
            log += line
            if "ready" in line:
                break
        asked = time.monotonic()
        process.send_signal(number)
        log += process.stdout.read()
        assert process.wait(timeout=10) == 128 + number
    assert time.monotonic() - asked < 5
    summary = job.summary()
    assert summary.overall_status == "aborted"
    assert summary.error is not None
    assert summary.error.startswith(f"stopped by {number.name} after ")
    assert {check.status for check in summary.checks.values()} == {"aborted"}
    assert job.report(log).error == summary.error


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--plan=x"])
    assert caught.value.code == 2
    assert "--termination" in capsys.readouterr().err
