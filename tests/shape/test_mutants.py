"""What `make mutants` makes of what mutmut notes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from scripts import mutants
from scripts.mutants import LEFT_OUT, ROOT, Tried, configuration, found, main, mirror, survivors, table


def tried(**words: str) -> Tried:
    return Tried("roles", words)


def test_what_mutmut_notes_becomes_words(tmp_path: Path) -> None:
    folder = tmp_path / "mutants" / "src" / "modelyard" / "roles"
    folder.mkdir(parents=True)
    codes = {"a": 1, "b": 0, "c": 33, "d": None, "e": 36, "f": 35, "g": 3}
    (folder / "gate.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))

    assert found("roles", tmp_path).words == {
        "a": "killed",
        "b": "survived",
        "c": "no test",
        "d": "not tried",
        "e": "timeout",
        "f": "unclear",
        "g": "killed",
    }


def test_after_a_change_of_the_tests_what_nobody_noticed_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "mutants" / "src" / "modelyard" / "roles"
    folder.mkdir(parents=True)
    codes = {"a": 1, "b": 0, "c": 33, "d": 36}
    (folder / "gate.py.meta").write_text(
        json.dumps({"exit_code_by_key": codes, "hash_by_function_name": {"f": "1"}})
    )

    mutants.forget_survivors("roles", tmp_path)

    assert found("roles", tmp_path).words == {
        "a": "killed",
        "b": "not tried",
        "c": "not tried",
        "d": "timeout",
    }
    assert json.loads((folder / "gate.py.meta").read_text())["hash_by_function_name"] == {"f": "1"}


def test_only_what_was_noticed_counts() -> None:
    one = tried(
        a="killed",
        b="timeout",
        c="survived",
        d="no test",
        e="not tried",
        f="unclear",
        g="skipped",
        h="killed",
    )

    assert (one.noticed, one.percent) == (3, 37.5)
    assert list(one.alive) == ["c", "d", "e", "f", "g"]


def test_nothing_tried_is_nothing_killed() -> None:
    assert Tried("roles", {}).percent == 0


def test_the_table_has_a_line_for_each_package_and_the_file_one_for_each_survivor() -> None:
    one = tried(x="killed", y="survived")

    assert table([one]).splitlines()[1].split()[:8] == ["roles", "2", "1", "0", "1", "0", "0", "0"]
    assert survivors([one]).splitlines()[1:] == ["survived   y"]


def test_those_that_took_too_long_are_told_apart_from_those_that_a_test_killed() -> None:
    one = tried(a="killed", b="timeout", c="survived", d="killed")

    head, line = (text.split() for text in table([one]).splitlines())
    assert head[-2:] == ["killed", "noticed"]
    assert line[-4:] == ["50.0", "%", "75.0", "%"]
    assert line[head.index("timeout")] == "1"


def test_a_mutmut_that_fails_is_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "mutmut"
    broken.write_text("#!/bin/sh\nfor n in $(seq 30); do echo line $n; done\necho broken >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(mutants, "HOME", tmp_path / "home")
    monkeypatch.setattr(mutants, "COPIED", ("crds",))
    monkeypatch.setattr(mutants, "_environment", lambda: broken)
    notes = tmp_path / "home" / "roles" / "mutants" / "src" / "modelyard" / "roles"
    notes.mkdir(parents=True)
    (notes / "gate.py.meta").write_text(json.dumps({"exit_code_by_key": {"a": 1}}))

    assert main(["roles"]) == 1

    said = capfd.readouterr()
    assert "ended with exit code 3" in said.err
    assert said.err.splitlines()[-2:] == ["line 30", "broken"]
    assert "line 11\n" not in said.err, "only the last lines"
    assert "noticed" not in said.out, "no table of stale notes"
    assert not (tmp_path / "home" / "survivors.txt").exists()


def test_what_mutmut_says_is_shown_as_it_says_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mutants.run(["printf", r"1 of 2\r2 of 2\n"], tmp_path)

    assert capfd.readouterr().out == "1 of 2\r2 of 2\n"


@pytest.mark.parametrize(("killed", "code"), [(9, 0), (8, 1)])
def test_nine_in_ten_is_the_goal(
    killed: int, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    monkeypatch.setattr(mutants, "HOME", tmp_path)
    words = {str(number): "killed" if number < killed else "survived" for number in range(10)}

    assert mutants._told([Tried("roles", words)], interrupted=False) == code
    assert mutants._told([Tried("roles", words)], interrupted=True) == 130
    assert (tmp_path / "survivors.txt").read_text().count("survived") == 10 - killed


def test_a_package_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rolls"]) == 2
    assert capsys.readouterr().err == "No such package: rolls. There are: checks, roles, status\n"


@pytest.mark.parametrize("package", LEFT_OUT)
def test_packages_and_tests_that_are_named_are_there(package: str) -> None:
    asked = tomllib.loads(configuration(package))["tool"]["mutmut"]

    assert (ROOT / "operator" / "modelyard" / package).is_dir()
    assert asked["only_mutate"] == [f"src/modelyard/{package}/*"]
    paths = [word.removeprefix("--ignore=") for word in asked["pytest_add_cli_args_test_selection"]]
    assert all((ROOT / path).exists() for path in [*paths, *asked["also_copy"]])


def test_a_copy_follows_its_source_and_leaves_alone_what_is_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "in").mkdir(parents=True)
    (source / "in" / "same").write_text("1")
    (source / "gone").write_text("1")
    assert mirror(source, target)
    assert not mirror(source, target)
    before = (target / "in" / "same").stat().st_mtime_ns
    (source / "gone").unlink()
    (source / "new").write_text("2")

    assert mirror(source, target)

    assert sorted(path.name for path in target.rglob("*")) == ["in", "new", "same"]
    assert (target / "in" / "same").stat().st_mtime_ns == before
