"""The operator at rest: all that there is serves, and nothing happens.

`make bench BENCH=--rest` runs it after the comparison. Nothing is compared with the reference, which has no tests
and no promotion to wait for.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION
from tests.apiserver.server import our_crds, running
from tests.bench.nodes import nodes
from tests.bench.operators import passes, settle_environment
from tests.bench.processes import Controller, Running, started
from tests.bench.server import Client, connected, seed

PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Rest:
    """What so many models that serve cost while nothing happens."""

    models: int
    seconds: float
    cpu_percent: float
    """Of one core."""

    writes: float
    memory_mb: float
    model_passes: int
    """Over models, in these seconds."""

    version_passes: int


async def rested(operator: Controller, models: int, seconds: float, folder: Path) -> Rest:
    """Each model with one version, which passed its tests and was promoted before the rest begins."""
    with running(folder) as server:
        server.install(*our_crds())
        async with connected(server) as client:
            await settle_environment(client, folder)
            async with nodes(client):
                await seed(client, range(models))
                with started(operator.over(server), operator.environ, folder / "log") as process:
                    await _all_serve(client, models)
                    await process.at_rest(PATIENCE)
                    return await _while_nothing_happens(client, operator, process, models, seconds)


async def _while_nothing_happens(
    client: Client, operator: Controller, process: Running, models: int, seconds: float
) -> Rest:
    kinds = (CUSTOM_MODEL, CUSTOM_MODEL_VERSION)
    before = [await passes(operator, kind) for kind in kinds]
    writes, cpu, began = await client.writes(), process.cpu_ms, time.monotonic()
    await asyncio.sleep(seconds)
    used, lasted = process.cpu_ms - cpu, time.monotonic() - began
    wrote = sum((await client.writes() - writes).values())
    of_models, of_versions = [await passes(operator, kind) for kind in kinds]
    return Rest(
        models,
        lasted,
        used / lasted / 10,
        wrote,
        process.memory_mb,
        of_models - before[0],
        of_versions - before[1],
    )


async def _all_serve(client: Client, models: int) -> None:
    """Until every model is ready. TimeoutError."""
    ready: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        async for _, model in client.watch(CUSTOM_MODEL):
            conditions = model.get("status", {}).get("conditions", ())
            if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
                ready.add(model["metadata"]["name"])
            if len(ready) == models:
                return


def table(found: Rest) -> str:
    """One line a measure."""
    return "\n".join(f"at rest, {name}: {figure:.2f}" for name, figure in asdict(found).items())
