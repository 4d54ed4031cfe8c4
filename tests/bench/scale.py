"""The operator alone over ever more objects: what each costs, what they weigh, how soon a restart is over.

`make bench BENCH=--scale` runs it after the comparison. Nothing here is compared with the reference: the question is
whether the cost for each object stays what it is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from modelyard.api.kinds import CUSTOM_MODEL_VERSION, DEPLOYMENT, POD
from tests.apiserver.server import ApiServer, our_crds, running
from tests.bench.operators import at_rest_after, passes, settle_environment
from tests.bench.processes import Controller, Running, started
from tests.bench.server import Client, connected, seed

PATIENCE = 1800.0
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Size:
    """What there is."""

    models: int
    versions: int
    """Of all models together."""

    pods: int = 0
    """Of others: without our label."""

    def __str__(self) -> str:
        pods = f", {self.pods:,} foreign pods" if self.pods else ""
        return f"{self.versions:,} versions of {self.models:,} models{pods}"


SIZES = (
    Size(100, 100),
    Size(1000, 1000),
    Size(1000, 1000, pods=20_000),
    Size(5000, 5000),
    Size(1000, 5000),
)


@dataclass(frozen=True, slots=True)
class Scaled:
    """What one size cost."""

    cpu_ms: float
    """CPU for each version, start-up over nothing taken out."""

    memory_mb: float
    """Resident memory at rest."""

    restart_s: float
    """Of a second process: seconds from the lists to the end of all passes."""

    restart_writes: float
    """Writes of that process."""

    restart_memory_mb: float
    """Resident memory of that process at rest."""


async def scaled(operator: Controller, size: Size, folder: Path) -> Scaled:
    """One size on an API server of its own."""
    with running(folder) as server:
        server.install(*our_crds())
        async with connected(server) as client:
            await settle_environment(client, folder)
            await _strangers(client, size.pods)
            idle = await _idle(operator, server, folder)
            await _seeded(client, size)
            with started(operator.over(server), operator.environ, folder / "log") as first:
                await _judged(client, size.versions)
                await first.at_rest(PATIENCE)
                await _check_roles(client, size)
                assert not await passes(operator, CUSTOM_MODEL_VERSION, "stalled")
                cpu, memory = first.cpu_ms - idle, first.memory_mb
            settled = await client.writes()
            with started(operator.over(server), operator.environ, folder / "again.log") as second:
                ended = await at_rest_after(operator, second, size.versions, PATIENCE)
                restart = ended - _listed(folder / "again.log", second)
                again = second.memory_mb
            writes = sum((await client.writes() - settled).values())
    return Scaled(cpu / size.versions, memory, restart, writes, again)


async def _seeded(client: Client, size: Size) -> None:
    """All models, each with its share of the versions."""
    each = size.versions // size.models
    await seed(client, range(size.models), each)


async def _strangers(client: Client, count: int) -> None:
    """Pods that are none of ours."""
    gate = asyncio.Semaphore(_AT_ONCE)
    container = {
        "name": "main",
        "image": "registry.example.com/else",
        "env": [{"name": "A", "value": "b" * 200}],
    }

    async def one(number: int) -> None:
        pod = {"metadata": {"name": f"other-{number}"}, "spec": {"containers": [container]}}
        async with gate:
            await client.create(POD, {"apiVersion": "v1", "kind": "Pod", **pod})

    await asyncio.gather(*map(one, range(count)))


async def _judged(client: Client, versions: int) -> None:
    """Until every version has a status."""
    judged: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        async for _, version in client.watch(CUSTOM_MODEL_VERSION):
            if version.get("status", {}).get("conditions"):
                judged.add(version["metadata"]["name"])
            if len(judged) == versions:
                return


async def _check_roles(client: Client, size: Size) -> None:
    """One candidate for each model, which alone has pods, and no other version waits or is refused. AssertionError."""
    versions = [version async for version in client.all(CUSTOM_MODEL_VERSION)]
    roles = Counter(version["status"]["role"] for version in versions)
    others = {"Superseded": size.versions - size.models} if size.versions > size.models else {}
    assert roles == {"Candidate": size.models, **others}, f"{size}: {roles}"
    refused = [
        condition["message"]
        for version in versions
        for condition in version["status"]["conditions"]
        if condition["type"] == "Ready" and condition["reason"] == "LabelTaken"
    ]
    assert not refused, f"{len(refused)} of {size}: {refused[0]}"
    assert await client.count(DEPLOYMENT) == size.models


async def _idle(operator: Controller, server: ApiServer, folder: Path) -> float:
    with started(operator.over(server), operator.environ, folder / "idle.log") as process:
        await process.at_rest(PATIENCE)
        return process.cpu_ms


def _listed(log: Path, process: Running) -> float:
    """When all kinds were listed, by the monotonic clock."""
    for line in log.read_text().splitlines():
        found = json.loads(line)
        if found["message"] == "All kinds are listed":
            ago = time.time() - datetime.fromisoformat(found["time"]).timestamp()
            return time.monotonic() - ago
    raise AssertionError(f"process {process.process.pid} never listed all kinds")


def table(found: Sequence[tuple[Size, Scaled]]) -> str:
    """One line a size."""
    measures = [field.name for field in fields(Scaled)]
    lines = [f"| size | {' | '.join(measures)} |", "|---|" + "---|" * len(measures)]
    for size, row in found:
        figures = (f"{figure:.2f}" for figure in asdict(row).values())
        lines.append(f"| {size} | {' | '.join(figures)} |")
    return "\n".join(lines)
