"""How programs are run that a cluster is asked through, and what is told when they fail."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from tests.cluster import interrupts, tools
from tests.cluster.__main__ import main
from tests.cluster.interrupts import Interrupted
from tests.cluster.kind import KindProvider
from tests.cluster.programs import ProgramFailed, kubectl, or_else, run
from tests.cluster.provider import ClusterUnavailable

OWN_GROUP = [sys.executable, "-c", "import os; print(os.getpgrp() == os.getpid())"]


def test_a_program_of_a_clean_up_is_not_reached_by_a_ctrl_c() -> None:
    with interrupts.raised():  # a shell has what it starts in the background ignore them
        assert run(OWN_GROUP) == "False\n"
        with interrupts.ignored():
            assert run(OWN_GROUP) == "True\n"


def test_a_program_that_fails_is_told_with_what_it_said_and_what_to_do() -> None:
    said = r"^`sh -c echo no\.>&2; exit 3` failed: no; try yes\.$"
    with pytest.raises(ClusterUnavailable, match=said), or_else("try yes"):
        run(["sh", "-c", "echo no.>&2; exit 3"])


def test_a_sentence_that_has_a_next_step_stays_as_it_is() -> None:
    with pytest.raises(ClusterUnavailable, match=r"^Do this\.$"), or_else("do that"):
        raise ClusterUnavailable("Do this.")


def test_a_program_that_there_is_not_is_told_with_the_next_step() -> None:
    with pytest.raises(
        ClusterUnavailable, match=r"^`dockr` cannot be run: No such file or directory; install it"
    ):
        run(["dockr", "ps"])


def test_a_python_without_kubectl_is_told_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(tools, "distribution", nothing)

    with pytest.raises(ClusterUnavailable, match=r"^No kubectl in this Python: run `make test` once, or "):
        kubectl()


@pytest.mark.parametrize(
    ("error", "code", "first"),
    [(ProgramFailed("no space left"), 1, "no space left"), (Interrupted(2), 130, "Interrupted by SIGINT.")],
)
def test_what_a_clean_up_could_not_take_away_is_told_last(
    error: BaseException,
    code: int,
    first: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error.add_note("Taking away what was begun failed too: start Docker.")

    def up(provider: KindProvider) -> None:
        raise error

    monkeypatch.setattr(KindProvider, "up", up)
    monkeypatch.setattr("tests.cluster.kind.missing", lambda: None)
    monkeypatch.setenv("CLUSTER", "kind")

    assert main(["up"]) == code

    assert capsys.readouterr().err == f"{first}\nTaking away what was begun failed too: start Docker.\n"
