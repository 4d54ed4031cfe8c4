"""The runner of the layers counts right and lets no layer pass that ran nothing."""

from __future__ import annotations

from scripts.layers import Counts, Result, parse_report, table

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"></testsuite></testsuites>"""


def result(*, ran: int = 3, failed: int = 0, skipped: int = 0, code: int = 0) -> Result:
    return Result("fast", code, Counts(ran, failed, skipped), 1.5)


def test_counts_come_from_pytests_report() -> None:
    assert parse_report(REPORT) == Counts(ran=6, failed=3, skipped=3)


def test_no_report_counts_nothing() -> None:
    assert parse_report("") == Counts(0, 0, 0)


def test_a_layer_passes_when_tests_ran_and_none_failed() -> None:
    assert result().trouble(strict=True) == ""


def test_a_layer_that_ran_nothing_did_not_pass() -> None:
    assert result(ran=0, code=5).trouble(strict=False) == "ran no tests"
    assert result(ran=0, skipped=4).trouble(strict=False) == "ran no tests"


def test_a_layer_whose_process_broke_did_not_pass() -> None:
    assert result(code=3).trouble(strict=False) == "failed"
    assert result(failed=1, code=1).trouble(strict=False) == "failed"


def test_skipped_tests_matter_only_where_all_of_them_can_run() -> None:
    assert result(skipped=1).trouble(strict=False) == ""
    assert result(skipped=1).trouble(strict=True) == "skipped some"


def test_the_table_has_a_line_for_each_layer() -> None:
    lines = table([result(), result(ran=0, code=5)], strict=False).splitlines()

    assert [line.split()[0] for line in lines] == ["layer", "fast", "fast"]
    assert lines[1].endswith("passed")
    assert lines[2].endswith("ran no tests")
