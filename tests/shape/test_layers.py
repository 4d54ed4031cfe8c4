"""The runner of the layers counts right and lets no layer pass that ran nothing."""

from __future__ import annotations

from pathlib import Path

from scripts.layers import (
    CHOICE,
    LAYERS,
    PYTEST,
    Counts,
    Result,
    exit_code,
    parse_report,
    table,
    timings,
    with_bytecode,
)
from scripts.timings import (
    BUDGETS,
    Case,
    against_budget,
    against_whole_budget,
    parse_cases,
    slowest,
    whole_budget,
)

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3">
<testcase classname="tests.unit.test_a" name="test_b[c]" time="0.25"/>
<testcase classname="tests.unit.test_a.TestD" name="test_e" time="1.5"/>
</testsuite></testsuites>"""


def result(*, ran: int = 3, failed: int = 0, skipped: int = 0, code: int = 0, seconds: float = 1.5) -> Result:
    return Result("fast", code, Counts(ran, failed, skipped), seconds)


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


def test_cases_come_from_pytests_report() -> None:
    assert parse_cases(REPORT) == [
        Case("tests/unit/test_a.py", "test_b[c]", 0.25),
        Case("tests/unit/test_a.py", "test_e", 1.5),
    ]
    assert parse_cases("") == []


def test_the_slowest_ten_of_all_tests_are_listed_slowest_first() -> None:
    cases = [Case("tests/unit/test_a.py", f"test_{number}", number) for number in range(20)]

    head, *lines = slowest(cases).splitlines()

    assert head.endswith("the slowest 10 tests")
    assert [line.rpartition("_")[2] for line in lines] == [str(number) for number in range(19, 9, -1)]


def test_a_layer_is_held_against_its_budget_without_the_share_of_what_does_not_count() -> None:
    cases = [Case("tests/shape/test_a.py", "test_b", 12.0), Case("tests/unit/test_a.py", "test_b", 36.0)]

    assert against_budget("fast", 36.0, cases) == "fast: 27.0 s (without tests/shape), within its 30 s"
    assert against_budget("fast", 44.0, cases) == "fast: 33.0 s (without tests/shape), over its 30 s"
    assert against_budget("e2e", 1000.0, cases) == "e2e: 1000.0 s, over its 900 s"
    assert against_budget("lint", 10.0, []) == "lint: 10.0 s, within its 30 s"


def test_all_layers_of_a_run_are_held_against_their_budgets_together() -> None:
    assert against_whole_budget(["lint", "fast"], 59.9) == "all: 59.9 s, within their 60 s"
    assert against_whole_budget(["lint", "fast"], 60.1) == "all: 60.1 s, over their 60 s"


def test_every_layer_has_a_budget_and_all_of_them_are_25_minutes() -> None:
    assert list(BUDGETS) == list(LAYERS)
    assert whole_budget(LAYERS) == 25 * 60


def test_a_run_that_takes_more_than_half_as_long_again_as_it_may_fails_in_ci() -> None:
    slow = result(seconds=45.1)

    assert exit_code([slow], strict=True, warm=True) == 1
    assert exit_code([slow], strict=False, warm=True) == 0
    assert exit_code([slow], strict=True, warm=False) == 0
    assert exit_code([result(seconds=90.1)], strict=True, warm=False) == 1
    assert exit_code([result(seconds=44.9)], strict=True, warm=True) == 0


def test_a_layer_in_trouble_fails_the_run_however_quick_it_was() -> None:
    assert exit_code([result(failed=1, code=1)], strict=False, warm=False) == 1


def test_timings_end_with_the_slowest_of_all_layers() -> None:
    quick = Result("fast", 0, Counts(1, 0, 0), 9.0, (Case("tests/unit/test_a.py", "test_b", 1.0),))
    slow = Result("e2e", 0, Counts(1, 0, 0), 9.0, (Case("tests/e2e/test_c.py", "test_d", 2.0),))

    lines = timings([quick, slow]).splitlines()

    assert lines[0].startswith("fast: ")
    assert [line.partition(":")[0] for line in lines[:3]] == ["fast", "e2e", "all"]
    assert [line.split()[1].partition("::")[2] for line in lines[4:]] == ["test_d", "test_b"]
    assert timings([result(ran=0)]).splitlines() == [
        "fast: 1.5 s (without tests/shape), within its 30 s",
        "all: 1.5 s, within their 30 s",
    ]


def test_bytecode_is_kept_and_never_beside_the_code_of_who_does_not_want_it_there() -> None:
    assert with_bytecode({"HOME": "/root"}) == {"HOME": "/root"}
    assert with_bytecode({"HOME": "/root", "PYTHONDONTWRITEBYTECODE": "1"}) == {
        "HOME": "/root",
        "PYTHONPYCACHEPREFIX": str(Path.cwd() / ".venv/bytecode"),
    }


def test_passes_and_stories_run_in_memory_and_against_a_real_server() -> None:
    """Between them the two layers leave nothing out: one refuses what the other chooses."""
    for folder in ("tests/passes", "tests/stories"):
        assert folder in PYTEST["fast"]
        assert folder in PYTEST["apiserver"]
        assert "pytest_generate_tests" in Path(folder, "conftest.py").read_text()
    assert CHOICE == {"fast": "not apiserver and not thorough", "apiserver": "not memory or thorough"}
