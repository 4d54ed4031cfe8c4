"""Processes of the cluster outlive their starter, say why they ended, and are found again by their mark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.local import cluster, processes
from tests.cluster.local.layout import MARK
from tests.cluster.local.preflight import Unfit
from tests.cluster.local.processes import role_of
from tests.cluster.progress import Progress
from tests.cluster.waiting import NeverHappened, until

ROLE = f"unit-test-{os.getpid()}"
"""No other run of these tests takes what this one starts for its own."""


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder for logs; what was started is ended."""
    monkeypatch.setattr(processes, "STATE", tmp_path)
    yield tmp_path
    processes.kill(process.pid for process in ours())
    until("they end", lambda: not ours(), timeout=5)
    processes.forget()


def ours() -> list[processes.Process]:
    return [process for process in processes.running() if process.role.startswith(ROLE)]


def test_a_process_is_found_by_its_mark_with_what_it_started() -> None:
    processes.start(f"{ROLE}/n7", ["/bin/sh", "-c", "sleep 60 & sleep 60"])
    until("both run", lambda: sum(process.program == "sleep" for process in ours()) == 2, timeout=5)
    assert {process.node for process in ours()} == {"n7"}
    assert os.getpid() not in {process.pid for process in ours()}


def test_it_is_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it() -> None:
    processes.start(ROLE, ["/bin/sleep", "60"])
    (process,) = until("it runs", ours, timeout=5)
    assert os.getsid(process.pid) != os.getsid(0)


def test_one_that_ended_is_not_running_and_its_last_words_are_known() -> None:
    processes.start(ROLE, ["/bin/sh", "-c", "echo no such flag; exit 7"])
    said = until("it ends", processes.ended, timeout=5)
    assert said == f"{ROLE} ended with 7:\nno such flag"
    assert ours() == []
    processes.forget()
    assert processes.ended() is None


def test_a_start_ends_with_the_first_process_that_ends() -> None:
    processes.start(ROLE, ["/bin/sh", "-c", "echo address in use; exit 1"])
    with pytest.raises(cluster.Died, match="address in use"):
        cluster._until("the API server is ready", lambda: False)


def test_what_never_happens_says_what_and_what_was_seen() -> None:
    with pytest.raises(NeverHappened, match=r"the moon is blue: not within 0 s \(last seen: 0\)"):
        until("the moon is blue", lambda: 0, timeout=0.01, every=0.001)


def test_a_mark_is_a_variable_of_its_own() -> None:
    assert role_of(b"PATH=/bin\0" + MARK.encode() + b"=kubelet/n2\0") == "kubelet/n2"
    assert role_of(b"PATH=/bin\0X" + MARK.encode() + b"=kubelet/n2\0") is None


def test_without_root_nothing_is_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Unfit, match="needs root"):
        cluster.up(tmp_path / "kubeconfig", Progress(quiet=True))
    assert not (tmp_path / "kubeconfig").exists()
