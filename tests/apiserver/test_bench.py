"""The short form of `make bench`: what does not depend on how fast or how busy a machine is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.bench.controllers import ROOT, measure, reference
from tests.bench.operators import operator
from tests.bench.rest import rested

VERSIONS = 100
KEPT = ROOT / "docs" / "benchmarks" / "latest.json"
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

MODELS_AT_REST, REST_SECONDS = 10, 5.0

NOT_FOR_A_VERSION = {"POST ipaddresses", "POST events"}
"""The API server's own for each Service, and Events of the environment."""


@pytest.mark.timeout(LONGEST)
def test_a_version_costs_each_write_once_a_restart_none_and_no_more_cpu_than_twice_what_it_did(
    tmp_path: Path,
) -> None:
    ours, wrote = asyncio.run(measure(operator(), VERSIONS, tmp_path / "ours"))
    theirs, _ = asyncio.run(measure(reference(tmp_path), VERSIONS, tmp_path / "theirs"))

    of_the_operator = {what: count for what, count in wrote.items() if what not in NOT_FOR_A_VERSION}
    assert of_the_operator.keys() == WRITES.keys()
    extra = sum((count - WRITES[what]) * VERSIONS for what, count in of_the_operator.items())
    assert all(count >= WRITES[what] for what, count in of_the_operator.items())
    assert extra < 3, "of what comes with the first version alone"
    assert ours["restart_writes"] == 0
    kept = json.loads(KEPT.read_text())["ratio"]
    assert ours["cpu_ms"] / theirs["cpu_ms"] < 2 * kept["cpu_ms"]


@pytest.mark.timeout(LONGEST)
def test_models_that_serve_cost_no_writes(tmp_path: Path) -> None:
    found = asyncio.run(rested(operator(), MODELS_AT_REST, REST_SECONDS, tmp_path / "rest"))

    assert found.writes == 0
    assert found.seconds >= REST_SECONDS
