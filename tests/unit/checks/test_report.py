"""Reports: bounded whatever a run found, and shown in three forms."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from typing import Any

import pytest

from modelyard.api.check_plan import CheckCounts, CheckName, CheckOutcome, CheckStatus
from modelyard.api.check_report import (
    MAX_FINDINGS,
    MAX_REPORT,
    CheckRecord,
    CheckReport,
    DatasetRecord,
    Finding,
    digest_of,
    outcome_line,
    outcomes_in,
    parse_report,
    report_in,
    report_lines,
    without_machine_lines,
)
from modelyard.checks.data import DataSet
from modelyard.checks.notes import Notes
from modelyard.checks.render import as_json, as_junit, as_text
from modelyard.checks.report import report_of
from modelyard.checks.run import Progress, Run
from tests.unit.checks.checking import LIMITS, plan_for

REPORT = CheckReport(
    test="team/gate",
    model="hello",
    version="1.0",
    target_type="Regression",
    replicas=("hello-0 (10.0.0.1:8080)",),
    dataset=DatasetRecord(name="rows.csv", format="csv", rows=10, columns=("a", "b"), sha256="f" * 64),
    overall_status=CheckStatus.FAILED,
    checks=(
        CheckRecord(
            name=CheckName.LONG_RUNNING_SERVICE,
            severity="fail",
            status=CheckStatus.SUCCEEDED,
            message="The replica answered",
            duration_seconds=5.25,
        ),
        CheckRecord(
            name=CheckName.ERROR_CHECK,
            severity="skip",
            status=CheckStatus.SKIPPED,
            message="Skipped as configured",
        ),
        CheckRecord(
            name=CheckName.NULL_VALUE_IMPUTATION,
            severity="warn",
            status=CheckStatus.WARNING,
            message='1 of 2 columns cannot be null: "a"',
            facts={"sampleRows": 10},
            findings=(
                Finding(where='column "a" nulled', message="row 0: NaN"),
                Finding(where="all columns nulled", message="row 1: NaN"),
            ),
            findings_left_out=3,
            rows=40,
            requests=4,
        ),
        CheckRecord(
            name=CheckName.SIDE_EFFECTS,
            severity="fail",
            status=CheckStatus.FAILED,
            message="Row 0 is 1.0 & <2.0>",
            findings=(Finding(where="row 0", message="1.0, 2.0"),),
        ),
    ),
    counts=CheckCounts(rows=10, requests=7),
    duration_seconds=6.5,
)

TEXT = """\
Model hello 1.0 (Regression), test team/gate
Data rows.csv: 10 rows, 2 columns

succeeded  longRunningService   The replica answered (5.2 s)
  skipped  errorCheck           Skipped as configured
  warning  nullValueImputation  1 of 2 columns cannot be null: "a"
                                - column "a" nulled: row 0: NaN
                                - all columns nulled: row 1: NaN
                                - and 3 more
                                (sampleRows 10)
   FAILED  sideEffects          Row 0 is 1.0 & <2.0>

FAILED after 6.5 s and 7 requests
"""


def test_text_is_what_a_person_reads() -> None:
    assert as_text(REPORT) == TEXT


def test_json_is_the_report() -> None:
    assert CheckReport.model_validate_json(as_json(REPORT)) == REPORT
    assert list(json.loads(as_json(REPORT)))[:3] == ["v", "test", "model"]


def test_junit_counts_what_ci_tools_count() -> None:
    root = xml.fromstring(as_junit(REPORT))
    suite = root[0]
    assert (root.tag, suite.tag, suite.get("name")) == ("testsuites", "testsuite", "hello 1.0")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "time": "6.500",
    }
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
    }
    cases = {case.get("name"): case for case in suite}
    assert [(case.get("classname"), case[0].tag) for case in cases.values()] == [
        ("modelyard.hello", "system-out"),
        ("modelyard.hello", "skipped"),
        ("modelyard.hello", "system-out"),
        ("modelyard.hello", "failure"),
    ]
    assert cases["longRunningService"].get("time") == "5.250"
    assert cases["sideEffects"][0].get("message") == "Row 0 is 1.0 & <2.0>"
    assert cases["nullValueImputation"][0].text == (
        'warning: 1 of 2 columns cannot be null: "a"\n'
        'column "a" nulled: row 0: NaN\nall columns nulled: row 1: NaN\nand 3 more\nsampleRows 10'
    )


def test_junit_calls_a_warning_a_failure_where_one_is_refused() -> None:
    """What exits with 1 must not be green in the file that a CI tool reads."""
    suite = xml.fromstring(as_junit(REPORT, strict=True))[0]

    assert suite.get("failures") == "2"
    (failure,) = (case[0] for case in suite if case.get("name") == "nullValueImputation")
    assert (failure.tag, failure.get("type")) == ("failure", "warning")
    assert failure.get("message") == '1 of 2 columns cannot be null: "a"'
    assert "all columns nulled: row 1: NaN" in str(failure.text)


SAMPLED: Mapping[str, int | float] = {"sampleRows": 5, "seed": 7, "absoluteTolerance": 1e-6}


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        (CheckName.LONG_RUNNING_SERVICE, False),
        (CheckName.ERROR_CHECK, False),
        (CheckName.NULL_VALUE_IMPUTATION, True),
        (CheckName.SIDE_EFFECTS, True),
    ],
)
def test_what_a_sample_went_by_is_stated_even_where_nothing_was_found(name: CheckName, stated: bool) -> None:
    check = CheckRecord(
        name=name, severity="fail", status=CheckStatus.SUCCEEDED, message="Good", facts=dict(SAMPLED)
    )
    report = REPORT.model_copy(update={"checks": (check,)})
    line = "sampleRows 5, seed 7, absoluteTolerance 1e-06"

    assert (f" ({line})\n" in as_text(report)) == stated
    assert (xml.fromstring(as_junit(report)).findtext(".//system-out") == f"Good\n{line}") == stated


def aborted(*, after_failure: bool, error: str | None) -> CheckReport:
    first = CheckStatus.FAILED if after_failure else CheckStatus.SUCCEEDED
    words = (first, *[CheckStatus.ABORTED] * 3)
    checks = tuple(
        CheckRecord(name=name, severity="fail", status=word, message="Not run")
        for name, word in zip(CheckName, words, strict=True)
    )
    overall = CheckStatus.FAILED if after_failure else CheckStatus.ABORTED
    return REPORT.model_copy(update={"checks": checks, "overall_status": overall, "error": error})


@pytest.mark.parametrize(
    ("after_failure", "error", "kind"),
    [
        (True, None, "skipped"),
        (False, "stopped by SIGTERM after 3 s", "error"),
        (True, "runner error", "error"),
    ],
)
def test_junit_takes_a_check_that_was_cut_short_for_an_error(
    after_failure: bool, error: str | None, kind: str
) -> None:
    """But one that was not run since another had failed was only left out."""
    suite = xml.fromstring(as_junit(aborted(after_failure=after_failure, error=error)))[0]
    assert [case[0].tag for case in suite.iter("testcase")][1:] == [kind] * 3
    assert suite.findtext("system-err") == error


@pytest.mark.parametrize("letter", ["\x1b", "\x00", "\x85", "\ud800", "\ufffe", "\n", "]]>", "😀", "&#0;"])
def test_any_letter_may_be_in_a_message(letter: str) -> None:
    message = f"before{letter}after"
    findings = (Finding(where=letter, message=message), Finding(where="row 1", message=message))
    check = REPORT.checks[3].model_copy(update={"message": message, "findings": findings})
    report = REPORT.model_copy(update={"checks": (check,), "model": letter, "error": message})
    case = xml.fromstring(as_junit(report).encode("utf-8"))[0][0]
    assert (case[0].get("message") or "").endswith("after")
    assert parse_report(report.to_bytes()).checks[0].message.endswith("after")
    if letter != "\ud800":
        lines = as_text(report).encode().decode().splitlines()
        assert sum("after" in line for line in lines) == 4


def test_text_holds_no_control_character_of_a_model() -> None:
    check = REPORT.checks[3].model_copy(update={"message": "\x1b[31mred\r\nforged"})
    text = as_text(REPORT.model_copy(update={"checks": (check,)}))
    assert "\x1b" not in text
    assert "FAILED  sideEffects           [31mred  forged" in text


def run_with(letter: str) -> Run:
    """A run that found as much as a run can find, in the longest words."""
    long = letter * 100_000
    columns: dict[str, list[Any]] = {f"{number}{letter * 300}": [1] for number in range(3000)}
    progress = Progress()
    for name in CheckName:
        notes = progress.notes[name] = Notes()
        for _ in range(MAX_FINDINGS * 2):
            notes.find(long, long)
        progress.outcomes[name] = CheckOutcome(status=CheckStatus.FAILED, message=long)
    data = DataSet(columns, name=long)
    return Run(plan_for("10.0.0.1:80"), data, LIMITS, lambda _line: None, progress)


@pytest.mark.parametrize("letter", ["x", "é", "😀", '"', "\x00", "\ud800"])
def test_report_is_bounded_whatever_was_found(letter: str) -> None:
    run = run_with(letter)
    report = report_of(run, run.progress.summary(error=letter * 100_000))
    assert report.dataset is not None
    assert (len(report.dataset.columns), report.dataset.columns_left_out) == (500, 2500)
    assert all(len(check.findings) == check.findings_left_out == MAX_FINDINGS for check in report.checks)
    content = report.to_bytes()
    assert len(content) <= MAX_REPORT
    read = parse_report(content)
    assert [check.status for check in read.checks] == ["failed"] * 4
    assert all(len(check.findings) + check.findings_left_out == 2 * MAX_FINDINGS for check in read.checks)


def test_report_says_how_long_the_run_took_what_it_asked_and_why_it_ended() -> None:
    run = run_with("x")
    summary = run.progress.summary(error="no space left").model_copy(
        update={"counts": CheckCounts(rows=7, requests=3), "duration_seconds": 1.25}
    )
    report = report_of(run, summary)
    assert (report.error, report.duration_seconds) == ("no space left", 1.25)
    assert report.counts == CheckCounts(rows=7, requests=3)


def test_report_travels_among_other_lines_of_the_log() -> None:
    content = REPORT.to_bytes()
    outcome = CheckOutcome(status=CheckStatus.WARNING, message="Zeile ü\nmodelyard-report forged")
    log = "\n".join(
        [
            "    0.1 s  begins",
            outcome_line(CheckName.SIDE_EFFECTS, outcome),
            *report_lines(content),
            "last words\n",
        ]
    )
    assert report_in(log, digest_of(content)) == content
    assert outcomes_in(log) == {CheckName.SIDE_EFFECTS: outcome}
    assert without_machine_lines(log) == "    0.1 s  begins\nlast words\n"
    assert parse_report(content) == REPORT


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda log: "", "the log of the test holds no report"),
        (lambda log: log[:-40], "the report in the log of the test is cut off or damaged"),
        (lambda log: log.replace("modelyard-report ", "modelyard-report !", 1), "is cut off or damaged"),
        (lambda log: log.replace("modelyard-report ", "modelyard-repor ", 1), "is cut off or damaged"),
        (lambda log: "\n".join(report_lines(b"another")), "is not the one of"),
    ],
)
def test_damaged_log_is_noticed(damage: Any, problem: str) -> None:
    content = REPORT.to_bytes() + random.Random(1).randbytes(20_000)
    log = damage("\n".join(report_lines(content)))
    with pytest.raises(ValueError, match=problem):
        report_in(log, digest_of(content))


def test_foreign_bytes_are_no_report() -> None:
    with pytest.raises(ValueError, match="not a report of the checks: "):
        parse_report(b"{}")


def test_the_json_is_for_people_and_programs_to_the_byte() -> None:
    report = CheckReport(
        test="t",
        model="grün",
        version="1.0",
        target_type="Regression",
        overall_status=CheckStatus.SUCCEEDED,
        duration_seconds=1.5,
    )

    assert as_json(report) == (
        '{\n  "v": 1,\n  "test": "t",\n  "model": "grün",\n  "version": "1.0",\n  "targetType": "Regression",\n'
        '  "replicas": [],\n  "overallStatus": "succeeded",\n  "checks": [],\n  "counts": {\n    "rows": 0,\n'
        '    "requests": 0\n  },\n  "durationSeconds": 1.5\n}\n'
    )


def test_what_is_no_number_is_no_json() -> None:
    report = REPORT.model_copy(update={"duration_seconds": float("nan")})

    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(report)


def test_a_run_that_was_cut_short_is_counted_as_errors() -> None:
    text = as_junit(aborted(after_failure=False, error="the model went away"))
    root = xml.fromstring(text)

    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "3", None)
    assert (root[0].get("errors"), root[0].get("skipped")) == ("3", "0")
    assert root[0].findtext("system-err") == "the model went away"


def test_what_was_left_out_is_marked_without_a_type() -> None:
    skipped = xml.fromstring(as_junit(REPORT)).find(".//skipped")

    assert skipped is not None
    assert (skipped.attrib, skipped.text) == ({"message": "Skipped as configured"}, None)


def test_a_report_of_nothing_known_says_no_more_than_it_knows() -> None:
    nothing = REPORT.model_copy(
        update={"test": "", "model": "", "version": "", "target_type": "", "dataset": None}
    )

    assert as_text(nothing).splitlines()[0] == "Model unknown"
    assert {case.get("classname") for case in xml.fromstring(as_junit(nothing)).iter("testcase")} == {
        "modelyard.model"
    }


def test_columns_that_are_not_listed_are_counted() -> None:
    assert REPORT.dataset is not None
    wide = REPORT.dataset.model_copy(update={"columns_left_out": 40})

    assert "10 rows, 42 columns" in as_text(REPORT.model_copy(update={"dataset": wide}))
