"""The short form of `make bench`: what does not depend on how fast or how busy a machine is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.bench.controllers import ROOT, measure, reference
from tests.bench.operators import operator

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


@pytest.mark.timeout(LONGEST)
def test_a_version_costs_each_write_once_a_restart_none_and_no_more_cpu_than_twice_what_it_did(
    tmp_path: Path,
) -> None:
    ours, wrote = asyncio.run(measure(operator(), VERSIONS, tmp_path / "ours"))
    theirs, _ = asyncio.run(measure(reference(tmp_path), VERSIONS, tmp_path / "theirs"))

    of_the_operator = {
        what: count for what, count in wrote.items() if "ipaddresses" not in what and "events" not in what
    }
    assert of_the_operator == pytest.approx(WRITES, abs=0.05)
    assert ours["restart_writes"] == 0
    kept = json.loads(KEPT.read_text())["ratio"]
    assert ours["cpu_ms"] / theirs["cpu_ms"] < 2 * kept["cpu_ms"]
