"""The short form of `make bench-gateway`: right answers, and what does not depend on how busy a machine is."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path

import pytest

from tests.bench.gateway.bodies import cases
from tests.bench.gateway.figures import MANY, OURS, REFERENCE, Sample, Samples, cpu_ms, ratios
from tests.bench.gateway.peers import ROOT
from tests.bench.gateway.programs import GO, debian
from tests.bench.gateway.report import samples_of
from tests.bench.gateway.running import cores, serving, written
from tests.bench.gateway.wrk import Wrk
from tests.cluster.progress import Progress

KEPT = ROOT / "docs" / "benchmarks" / "gateway.json"
LONGEST = 120
"""Seconds."""


@pytest.mark.parametrize("name", GO)
def test_vet_finds_nothing_in_the_go_programs(name: str) -> None:
    folder = ROOT / "tests" / "bench" / "gateway" / name
    done = subprocess.run(["go", "vet", "."], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(LONGEST)
def test_the_gateway_answers_right_and_costs_beside_the_go_proxy_no_more_than_twice_what_it_did(
    tmp_path: Path,
) -> None:
    found: dict[str, list[Sample]] = {OURS: [], REFERENCE: []}
    every, where, quiet = cases(), cores(), Progress(quiet=True)
    packages = debian(quiet)
    wrk = Wrk(packages.program("wrk"), packages.environ, where.load)
    bodies = written([every["small"]], tmp_path)
    with serving([OURS, REFERENCE], tmp_path, where, every["small"], quiet) as servers:
        for server in servers:
            for case in every.values():
                server.ask(case)
        for server in servers[1:] * 2:
            sample = server.measure(wrk, every["small"], bodies, MANY, 1)
            assert not sample.trouble
            found[server.peer.name].append(sample)

    now, kept = _ratio({("small", MANY): found}), _ratio(samples_of(json.loads(KEPT.read_text())))
    assert now < 2 * kept


def _ratio(samples: Samples) -> float:
    """Our CPU for a small request over that of the proxy in Go."""
    return statistics.median(ratios(samples["small", MANY], OURS, REFERENCE, cpu_ms))
