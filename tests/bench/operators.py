"""The operator as a process under measurement, and the one thing that only it can prepare."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from pathlib import Path

import aiohttp

from modelyard.api.kinds import CUSTOM_MODEL_VERSION, EXECUTION_ENVIRONMENT, Kind
from tests.bench.processes import Controller, Running, started
from tests.bench.server import Client
from tests.support.objects import make_environment

ROOT = Path(__file__).parents[2]
IMAGE = f"registry.example.com/envs/python@sha256:{'a' * 64}"
"""By digest, so that no registry is asked."""

_PATIENCE = 60.0
_PASSES = re.compile(
    r'^modelyard_passes_total\{kind="(?P<kind>\w+)",outcome="(?P<outcome>\w+)"\} (?P<count>\S+)', re.MULTILINE
)
_PROGRAM = "import sys; from modelyard.cli.main import main; sys.exit(main())"
_IMPATIENT = "from modelyard.handlers import next_wake; next_wake.RESYNC = {seconds}; "


def operator(resync: float | None = None) -> Controller:
    """Modelyard's operator, as its image runs it, or one that looks at what is settled after so many seconds."""
    impatient = "" if resync is None else _IMPATIENT.format(seconds=float(resync))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Controller(
        "modelyard",
        [sys.executable, "-c", impatient + _PROGRAM, "operator"],
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


async def at_rest_after(controller: Controller, process: Running, versions: int, patience: float) -> float:
    """Wait until it is at rest; an operator, which alone tells, is not before it passed over so many versions.

    The moment from which on it was. TimeoutError after `patience` seconds.
    """
    async with asyncio.timeout(patience):
        since = await process.at_rest(patience)
        while (
            versions and "MODELYARD_PORT" in controller.environ and await _passes_yet(controller) < versions
        ):
            since = await process.at_rest(patience)
    return since


async def _passes_yet(operator: Controller) -> int:
    try:
        return await passes(operator)
    except aiohttp.ClientConnectorError:  # it does not listen yet
        return 0


async def passes(operator: Controller, kind: Kind = CUSTOM_MODEL_VERSION, *outcomes: str) -> int:
    """Passes over a kind that the process has ended (with these outcomes, if any are named), as it tells itself.

    AssertionError when one failed.
    """
    url = f"http://127.0.0.1:{operator.environ['MODELYARD_PORT']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    found = {
        match["outcome"]: int(float(match["count"]))
        for match in _PASSES.finditer(text)
        if match["kind"] == kind.name
    }
    assert found.keys() <= {"settled", "waiting", "stalled"}, found
    return sum(count for outcome, count in found.items() if not outcomes or outcome in outcomes)
