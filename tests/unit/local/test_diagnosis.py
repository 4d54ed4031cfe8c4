"""What is said of a server, and what that does to a report."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from modelyard.api.check_plan import CheckName, CheckStatus
from modelyard.api.check_report import CheckRecord, CheckReport, Finding
from modelyard.local.diagnosis import Seen, doubts, problem_of
from modelyard.local.judgement import with_doubts, with_end, with_fault
from modelyard.local.listeners import Listener
from modelyard.local.process import Exit

GOOD = Seen(
    command=["/code/start_server.sh"],
    first_line=b"#!/bin/sh",
    start_error=None,
    exit=None,
    tail=(),
    was_ready=True,
    port=8080,
    listeners=[Listener(8080, "0.0.0.0")],
)
OK, FAILED, WARNING = CheckStatus.SUCCEEDED, CheckStatus.FAILED, CheckStatus.WARNING
ABORTED, SKIPPED = CheckStatus.ABORTED, CheckStatus.SKIPPED


def report(*words: CheckStatus) -> CheckReport:
    checks = tuple(
        CheckRecord(name=name, severity="fail", status=word, message="It was so")
        for name, word in zip(CheckName, words, strict=True)
    )
    return CheckReport(test="", model="m", version="1.0", target_type="", overall_status=OK, checks=checks)


def words(found: CheckReport) -> list[CheckStatus]:
    return [one.status for one in found.checks]


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (GOOD, None),
        (
            replace(GOOD, exit=Exit(0, 2)),
            "the start command ended (exit code 0) and left 2 processes in the background",
        ),
        (
            replace(GOOD, exit=Exit(-11, 0)),
            "the server ended (by SIGSEGV) after it had been ready; it printed",
        ),
        (replace(GOOD, exit=Exit(-99, 0)), "the server ended (by signal 99) after"),
        (replace(GOOD, was_ready=False), None),
        (
            replace(GOOD, was_ready=False, listeners=[]),
            "it listens nowhere; it must listen on port 8080, the value of the variable PORT",
        ),
        (
            replace(GOOD, was_ready=False, listeners=[Listener(5000, "::1"), Listener(5001, "127.0.0.1")]),
            "it listens on [::1]:5000, 127.0.0.1:5001, not on port 8080",
        ),
        (
            replace(GOOD, start_error=errno.EACCES, command=["./x y"]),
            "'./x y' cannot be started: permission denied",
        ),
    ],
)
def test_a_problem_is_told_with_its_cause(seen: Seen, problem: str | None) -> None:
    found = problem_of(seen)

    assert (found or "").startswith(problem or "")
    assert (found is None) == (problem is None)


def test_only_the_last_lines_are_quoted() -> None:
    seen = replace(GOOD, exit=Exit(1, 0), tail=[str(number) for number in range(20)])

    assert (problem_of(seen) or "").endswith("it printed last: 15 / 16 / 17 / 18 / 19")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1", "it listens on 127.0.0.1:8080 only, where no other pod reaches it; listen on 0.0.0.0"),
        ("::1", "it listens on [::1]:8080 only, where no other pod reaches it; listen on 0.0.0.0"),
        ("::", None),
        ("10.0.0.1", None),
    ],
)
@pytest.mark.parametrize("was_ready", [True, False])
def test_a_server_on_loopback_alone_is_none(address: str, problem: str | None, was_ready: bool) -> None:
    seen = replace(GOOD, listeners=[Listener(8080, address), Listener(9, "127.0.0.1")], was_ready=was_ready)

    assert problem_of(seen) == problem


def test_a_server_that_listens_on_loopback_too_is_one() -> None:
    seen = replace(GOOD, listeners=[Listener(8080, "127.0.0.1"), Listener(8080, "::")])

    assert problem_of(seen) is None


def test_what_would_only_go_wrong_in_a_cluster_is_doubtful() -> None:
    found = doubts(["a", "b", "c"], was_killed=True, grace=5)

    assert [one.where for one in found] == ["files", "shutdown"]
    assert found[0].message.startswith("it wrote a and 2 more into CODE_DIR")
    assert doubts([], was_killed=False, grace=5) == []


def test_a_fault_fails_the_first_check_whatever_the_others_found() -> None:
    found = with_fault(report(OK, OK, WARNING, SKIPPED), "it listens elsewhere")

    assert words(found) == [FAILED, OK, WARNING, SKIPPED]
    assert found.overall_status is FAILED
    assert found.checks[0].message == "It listens elsewhere"


def test_a_fault_that_the_check_found_itself_is_told_once() -> None:
    found = with_fault(report(FAILED, ABORTED, ABORTED, ABORTED), "was so")

    assert [one.message for one in found.checks] == ["It was so"] * 4


def test_an_end_fails_the_check_that_ran_and_leaves_the_earlier_ones() -> None:
    found = with_end(report(OK, OK, ABORTED, ABORTED), "it ended", CheckName.NULL_VALUE_IMPUTATION)

    assert words(found) == [OK, OK, FAILED, ABORTED]
    assert found.overall_status is FAILED
    assert [one.message for one in found.checks[2:]] == [
        "It ended",
        "Not run: the server had ended during nullValueImputation",
    ]


def test_a_check_that_noticed_keeps_its_word_and_tells_why() -> None:
    found = with_end(report(OK, OK, WARNING, ABORTED), "it ended", CheckName.NULL_VALUE_IMPUTATION)

    assert words(found) == [OK, OK, WARNING, ABORTED]
    assert found.overall_status is ABORTED
    assert found.checks[2].message == "It was so; it ended"


def test_doubts_are_warnings_but_better_no_failure() -> None:
    doubt = [Finding(where="x", message="it is odd")]

    assert words(with_doubts(report(OK, OK, SKIPPED, SKIPPED), doubt))[0] is WARNING
    assert with_doubts(report(OK, OK, SKIPPED, SKIPPED), doubt).overall_status is WARNING
    assert with_doubts(report(FAILED, ABORTED, ABORTED, ABORTED), doubt).overall_status is FAILED
    assert with_doubts(report(OK, OK, OK, OK), []) == report(OK, OK, OK, OK)
