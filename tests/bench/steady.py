"""A controller that has done its work: how fast it takes up new work, what storms of edits cost."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    NETWORK_POLICY,
    SERVICE,
    Kind,
)
from tests.bench.processes import Running
from tests.bench.server import Client, seed

CHILDREN = (CONTROLLER_REVISION, CONFIG_MAP, NETWORK_POLICY, SERVICE, DEPLOYMENT)
"""Every version of the benchmark has one of each."""

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of a settled controller: `new` versions at either rate, and storms of so many seconds."""

    per_second: float = 20
    calm_per_second: float = 5
    new: int = 300
    stormed: int = 50
    edits_per_second: float = 10
    storm_seconds: float = 10


@dataclass(frozen=True, slots=True)
class Steady:
    """What one settled controller did under a load."""

    latency_p50_ms: float
    """From the moment that a new version is seen to that of its last child."""

    latency_p99_ms: float
    calm_p50_ms: float
    """The same where new versions come at a rate that leaves the machine room."""

    calm_p99_ms: float
    storm_cpu_ms: float
    """CPU for each edit of a storm that concerns the models alone: of what they say to people."""

    storm_last_s: float
    """Seconds from the last edit of a storm until every model's status speaks of it."""

    storm_per_second: float
    """At what rate the edits really came, of all models together."""

    storm_wide_cpu_ms: float
    """CPU for each edit of a storm that wakes all versions of the models, too."""

    storm_wide_last_s: float
    storm_wide_per_second: float
    seeded_per_second: float
    """At what rate the new versions really came."""

    calm_seeded_per_second: float


async def measured(client: Client, process: Running, load: Load, *, first: int) -> Steady:
    """All of it, one after the other; new versions are numbered from `first` on."""
    calm = range(first, first + load.new)
    calm_latencies, calm_rate = await _latencies(client, calm, load.calm_per_second)
    await process.at_rest(PATIENCE)
    busy = range(calm.stop, calm.stop + load.new)
    latencies, rate = await _latencies(client, busy, load.per_second)
    await process.at_rest(PATIENCE)
    narrow = await _storm(client, process, load, "description")
    wide = await _storm(client, process, load, "language")
    return Steady(
        *_middle_and_tail(latencies), *_middle_and_tail(calm_latencies), *narrow, *wide, rate, calm_rate
    )


def _middle_and_tail(seconds: Sequence[float]) -> tuple[float, float]:
    """Their median and their 99th percentile, in ms."""
    percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
    return percentiles[49] * 1000, percentiles[98] * 1000


async def _latencies(client: Client, numbers: Sequence[int], per_second: float) -> tuple[list[float], float]:
    """Seconds for each of the versions that come at an even rate, and that rate as it was."""
    seen, made = _Moments(), _Moments()
    follows = [seen.follow(client, CUSTOM_MODEL_VERSION, await client.version(CUSTOM_MODEL_VERSION))]
    follows += [made.follow(client, kind, await client.version(kind)) for kind in CHILDREN]
    async with _beside(follows):
        began, seeding = time.monotonic(), list[asyncio.Task[None]]()
        for place, number in enumerate(numbers):
            await asyncio.sleep(max(0.0, began + place / per_second - time.monotonic()))
            seeding.append(asyncio.create_task(seed(client, [number])))
        await asyncio.gather(*seeding)
        rate = len(numbers) / (time.monotonic() - began)
        await made.have(numbers, len(CHILDREN))
    return [max(made.of(number)) - min(seen.of(number)) for number in numbers], rate


@asynccontextmanager
async def _beside(follows: Iterable[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """These run for as long as the block."""
    tasks = [asyncio.create_task(follow) for follow in follows]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Moments:
    """When objects of each version were first seen, by name."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._changed = asyncio.Event()

    async def follow(self, client: Client, kind: Kind, since: str) -> None:
        """Take in what is new since a version, until cancelled."""
        async for moment, found in client.watch(kind, since):
            name = str(found["metadata"]["name"])
            words = name.split("-")
            if words[0] == "version":
                self._seen[words[1]].setdefault(f"{kind.name} {name}", moment)
                self._changed.set()

    def of(self, number: int) -> Iterable[float]:
        """The moments of one version."""
        return self._seen[str(number)].values()

    async def have(self, numbers: Iterable[int], each: int) -> None:
        """Until so many objects of each were seen. TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while any(len(self._seen[str(number)]) < each for number in numbers):
                self._changed.clear()
                await self._changed.wait()


async def _storm(client: Client, process: Running, load: Load, field: str) -> tuple[float, float, float]:
    """Edits of a field of each model's spec; the process is at rest afterwards.

    (CPU in ms for each edit, seconds until the last edit of each model was taken in, edits for each second).
    """
    names = [f"model-{number}" for number in range(load.stormed)]
    rounds = round(load.edits_per_second * load.storm_seconds)
    said = _Said()
    async with _beside([said.follow(client, await client.version(CUSTOM_MODEL))]):
        before, began = process.cpu_ms, time.monotonic()
        for turn in range(rounds):
            await asyncio.sleep(max(0.0, began + turn / load.edits_per_second - time.monotonic()))
            edited = await asyncio.gather(
                *(client.merge(CUSTOM_MODEL, name, _edit(field, turn)) for name in names)
            )
        ended = time.monotonic()
        await said.all_of({model["metadata"]["name"]: model["metadata"]["generation"] for model in edited})
        last = time.monotonic() - ended
    await process.at_rest(PATIENCE)
    edits = rounds * len(names)
    return (process.cpu_ms - before) / edits, last, edits / (ended - began)


def _edit(field: str, turn: int) -> dict[str, object]:
    return {"spec": {field: f"edited {turn} times"}}


class _Said:
    """Of which generation each model's status speaks."""

    def __init__(self) -> None:
        self._generations: dict[str, int] = {}
        self._changed = asyncio.Event()

    async def follow(self, client: Client, since: str) -> None:
        """Take in what is new since a version, until cancelled."""
        async for _, model in client.watch(CUSTOM_MODEL, since):
            generation = model.get("status", {}).get("observedGeneration", 0)
            self._generations[model["metadata"]["name"]] = generation
            self._changed.set()

    async def all_of(self, generations: Mapping[str, int]) -> None:
        """Until each status is of this generation or a later one. TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while any(self._generations.get(name, 0) < wanted for name, wanted in generations.items()):
                self._changed.clear()
                await self._changed.wait()
