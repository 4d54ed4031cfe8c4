"""The operator as a process under measurement, and the one thing that only it can prepare."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from pathlib import Path

import aiohttp

from modelyard.api.kinds import EXECUTION_ENVIRONMENT
from tests.bench.processes import Controller, started
from tests.bench.server import Client
from tests.support.objects import make_environment

ROOT = Path(__file__).parents[2]
IMAGE = f"registry.example.com/envs/python@sha256:{'a' * 64}"
"""By digest, so that no registry is asked."""

_PATIENCE = 60.0
_PASSES = re.compile(
    r'^modelyard_passes_total\{kind="CustomModelVersion",outcome="(\w+)"\} (\S+)', re.MULTILINE
)
_PROGRAM = "import sys; from modelyard.cli.main import main; sys.exit(main())"


def operator() -> Controller:
    """Modelyard's operator, as its image runs it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Controller(
        "modelyard",
        [sys.executable, "-c", _PROGRAM, "operator"],
        {**environ(), "MODELYARD_PORT": str(port)},
    )


def environ() -> dict[str, str]:
    """Variables with which a process finds the operator's code and the benchmark's."""
    return {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}


async def settle_environment(client: Client, folder: Path) -> None:
    """An environment that is settled: the operator alone knows how."""
    await client.namespace()
    await client.create(EXECUTION_ENVIRONMENT, make_environment(image=IMAGE))
    settling = operator()
    with started(settling.over(client.server), settling.environ, folder / "environment.log"):
        async with asyncio.timeout(_PATIENCE):
            async for _, environment in client.watch(EXECUTION_ENVIRONMENT):
                if environment.get("status", {}).get("latestVersion"):
                    return


async def passes(operator: Controller) -> int:
    """Passes over versions that the process has ended, as it tells itself; none failed. AssertionError otherwise."""
    url = f"http://127.0.0.1:{operator.environ['MODELYARD_PORT']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    found = _PASSES.findall(text)
    assert not [outcome for outcome, _ in found if outcome not in ("settled", "waiting", "stalled")], found
    return sum(int(float(count)) for _, count in found)
