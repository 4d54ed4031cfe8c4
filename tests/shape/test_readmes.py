"""The reader of READMEs: what is a command, what is expected, and what counts as the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.readme import Step, matches, parse, run

PAGE = """# Title

```sh
echo one
```

```text
one
```

Words.

```yaml
a: 1
```

```sh
echo two
```
"""


def step(commands: str, expected: str | None = None) -> Step:
    return Step(1, commands, expected)


def test_commands_and_what_they_print_are_found_in_order() -> None:
    assert parse(PAGE) == [Step(4, "echo one\n", "one\n"), Step(18, "echo two\n", None)]


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("NAME  AGE\nx  12s\n", "NAME     AGE\nx        3m10s\n"),
        ("pod/a-0123abcd ready", "pod/a-89ef4567 ready\n"),
        ("since … ok", "since 2026-01-01T00:00:00Z ok\n"),
        ("…\nlast", "first\nsecond\nlast\n"),
        ("first\n…\n", "first\n"),
    ],
)
def test_what_differs_by_nature_counts_as_the_same(expected: str, printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("one", "two"),
        ("one", "one\ntwo\n"),
        ("one\ntwo", "one"),
        ("x 12s", "x Running"),
        ("a.c", "abc"),
    ],
)
def test_what_differs_in_substance_does_not(expected: str, printed: str) -> None:
    assert not matches(expected, printed)


def test_a_step_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    said = run(step('pwd; echo "$WHO"'), folder=tmp_path, environment={"WHO": "me"}, timeout=10)

    assert said == f"{tmp_path}\nme\n"


def test_a_failing_command_fails_the_step_even_within_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="exit code 1"):
        run(step("false | cat\necho on"), folder=tmp_path, environment={}, timeout=10)


def test_other_output_than_the_page_says_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the page says"):
        run(step("echo two", "one\n"), folder=tmp_path, environment={}, timeout=10)


def test_a_step_that_never_ends_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(step("sleep 60"), folder=tmp_path, environment={}, timeout=0.2)
