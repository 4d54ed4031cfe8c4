"""The short form of `make bench`: what does not depend on how fast or how busy a machine is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.leftovers import processes
from tests.bench.controllers import measure, reference
from tests.bench.operators import operator
from tests.bench.report import LATEST, ROOT
from tests.bench.rest import rested
from tests.cluster.waiting import until

VERSIONS = 100
GOAL = 1.0
"""Times the reference's CPU: what a slow run keeps does not widen what is let through."""

LONGEST = 300
"""Seconds."""

WRITES = {
    "POST modelledgers": 1,
    "PATCH controllerrevisions": 1,
    "PATCH configmaps": 1,
    "PATCH networkpolicies": 1,
    "PATCH services": 2,
    "PATCH deployments": 1,
    "PATCH custommodelversions/status": 1,
    "PATCH custommodels/status": 1,
}
"""For a new version of a new model: its ledger, each child once, and one status each."""

MODELS_AT_REST, REST_SECONDS, RESYNC = 10, 5.0, 2.0
LOOKED_AT = int(REST_SECONDS / (1.2 * RESYNC))
"""How many times at least each object is passed over in a rest: a wait is at most a fifth longer than RESYNC."""

NOT_FOR_A_VERSION = "POST events"
"""Of the environment."""

FEW = 3
"""More than what comes with the first version alone."""


@pytest.mark.timeout(LONGEST)
def test_a_version_costs_each_write_once_a_restart_none_and_no_more_cpu_than_twice_what_it_did(
    tmp_path: Path,
) -> None:
    ours, wrote = asyncio.run(measure(operator(), VERSIONS, tmp_path / "ours"))
    theirs, they_wrote = asyncio.run(measure(reference(tmp_path), VERSIONS, tmp_path / "theirs"))

    _check_each_once(wrote)
    _check_each_once(they_wrote)
    assert ours["restart_writes"] == theirs["restart_writes"] == 0
    kept = json.loads(LATEST.read_text())["ratio"]
    assert ours["cpu_ms"] / theirs["cpu_ms"] < 2 * min(kept["cpu_ms"], GOAL)


def _check_each_once(wrote: dict[str, float]) -> None:
    """Each of the writes of WRITES for a version, but for those few."""
    told = dict(wrote)
    assert told.pop(NOT_FOR_A_VERSION, 0) * VERSIONS < FEW
    assert told.keys() == WRITES.keys()
    extra = {what: (count - WRITES[what]) * VERSIONS for what, count in told.items()}
    assert min(extra.values()) >= 0, extra
    assert sum(extra.values()) < FEW, extra


@pytest.mark.timeout(LONGEST)
def test_models_that_serve_are_looked_at_again_and_again_and_cost_no_writes(tmp_path: Path) -> None:
    found = asyncio.run(rested(operator(RESYNC), MODELS_AT_REST, REST_SECONDS, tmp_path / "rest"))

    assert found.writes == 0
    assert found.model_passes >= LOOKED_AT * MODELS_AT_REST
    assert found.version_passes >= LOOKED_AT * MODELS_AT_REST


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that measures a controller right now; its files are below `home`."""
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-m", "tests.bench.controllers", "--versions", "5", "--rounds", "1"]
    environ = {**os.environ, "TMPDIR": str(home)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE) as process:
        try:
            until("a controller runs", lambda: any("--kubeconfig" in line for line in processes(home)))
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(LONGEST)
def test_a_run_that_is_told_to_end_leaves_nothing(run: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Neither the controller that it measures nor the servers."""
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=60)

    assert run.returncode == 128 + signal.SIGTERM
    assert b"Interrupted by SIGTERM" in said
    assert processes(tmp_path) == []
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.timeout(LONGEST)
def test_a_run_that_is_killed_leaves_nothing_that_runs(run: subprocess.Popen[bytes], tmp_path: Path) -> None:
    run.kill()
    run.wait()
    until("all has ended", lambda: processes(tmp_path) == [])
