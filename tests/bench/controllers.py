"""`make bench`: the operator beside a Go controller that writes the same objects.

    python -m tests.bench.controllers [--versions 1000] [--rounds 3] [--steady] [--scale] [--rest] [--json FILE]

Each controller gets an API server and etcd of its own in each round, and the two take turns. The objects are there
before a controller starts. What it costs is what it used until it was at rest, less what it uses to start over nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modelyard.api.kinds import CUSTOM_MODEL_VERSION, DEPLOYMENT, MODEL_LEDGER
from tests.apiserver.server import ApiServer, our_crds, running
from tests.bench.operators import at_rest_after, environ, operator, settle_environment
from tests.bench.processes import Controller, cpu_ms, started
from tests.bench.report import LATEST, ROOT, Section, beginning, kept, listed, table
from tests.bench.rest import rested
from tests.bench.rest import table as rest_table
from tests.bench.scale import SIZES, Scaled, Size, scaled
from tests.bench.scale import table as scale_table
from tests.bench.server import Client, connected, pid_of, seed
from tests.bench.steady import Load, measured
from tests.bench.templates import templates
from tests.bench.watching import WAYS
from tests.cluster import interrupts
from tests.cluster.progress import Progress
from tests.cluster.tools import Module, built

REFERENCE = Module("reference", (".",), ROOT / "tests" / "bench")
PATIENCE = 900.0
SERVERS_OWN = ("POST ipaddresses",)
"""Writes that the API server makes by itself: one for each Service."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one controller cost in one round."""

    cpu_ms: float
    """CPU for each version, start-up over nothing taken out."""

    server_cpu_ms: float
    """CPU of the API server for each version, in the same time."""

    per_second: float
    """Versions for each second from the first ledger to the last status."""

    first_write_s: float
    """Seconds from the start of the process to the first ledger."""

    memory_mb: float
    """Resident memory at rest."""

    writes: float
    """Writes for each version, without the API server's own."""

    restart_writes: float
    """Writes of a second process over what the first left, all together."""

    restart_cpu_ms: float
    """CPU of that process for each version, start-up over nothing taken out."""


def reference(folder: Path) -> Controller:
    """The Go controller, with what it is to write."""
    file = folder / "templates.json"
    file.write_text(json.dumps(asyncio.run(templates())))
    return Controller(
        "reference", [str(built(REFERENCE, Progress()) / "reference"), "--templates", str(file)]
    )


async def measure(
    controller: Controller, versions: int, folder: Path, load: Load | None = None
) -> tuple[dict[str, float], dict[str, float]]:
    """One controller over this many versions on an API server of its own: figures, and writes by verb and resource.

    With a load, also what it does with new work and edits once it is settled.
    """
    with running(folder) as server:
        server.install(*our_crds())
        async with connected(server) as client:
            await settle_environment(client, folder)
            idle = await _cpu_over(controller, server, folder)
            await seed(client, range(versions))
            before, server_before = await client.writes(), cpu_ms(pid_of(server))
            with started(controller.over(server), controller.environ, folder / "log") as process:
                first, last = await _drained(client, versions)
                await process.at_rest(PATIENCE)
                cpu, memory = process.cpu_ms - idle, process.memory_mb
                server_cpu = cpu_ms(pid_of(server)) - server_before
                first_write = first - process.began
                after = await client.writes()
                assert await client.count(DEPLOYMENT) == versions
                steady = asdict(await measured(client, process, load, first=versions)) if load else {}
            settled, now = await client.writes(), await client.count(CUSTOM_MODEL_VERSION)
            again = (await _cpu_over(controller, server, folder, now) - idle) / now
            rewritten = sum((await client.writes() - settled).values())
    wrote = {
        name: round(count / versions, 3)
        for name, count in sorted((after - before).items())
        if name not in SERVERS_OWN
    }
    sample = Sample(
        cpu / versions,
        server_cpu / versions,
        versions / (last - first),
        first_write,
        memory,
        sum(wrote.values()),
        rewritten,
        again,
    )
    return asdict(sample) | steady, wrote


async def watching(way: str, writing: Controller, versions: int, folder: Path) -> float:
    """CPU in ms for each version of a process that only watches our own kinds while a controller writes."""
    watcher = Controller(way, [sys.executable, "-m", "tests.bench.watching", way], environ())
    with running(folder) as server:
        server.install(*our_crds())
        async with connected(server) as client:
            await settle_environment(client, folder)
            idle = await _cpu_over(watcher, server, folder)
            await seed(client, range(versions))
            with started(watcher.over(server), watcher.environ, folder / "watcher.log") as watches:
                await watches.at_rest(PATIENCE)
                with started(writing.over(server), writing.environ, folder / "log") as writes:
                    await _drained(client, versions)
                    await writes.at_rest(PATIENCE)
                await watches.at_rest(PATIENCE)
                return (watches.cpu_ms - idle) / versions


async def _cpu_over(controller: Controller, server: ApiServer, folder: Path, versions: int = 0) -> float:
    """CPU from a start over what there is until rest, which an operator has not before it saw so many versions."""
    with started(controller.over(server), controller.environ, folder / "log") as process:
        await at_rest_after(controller, process, versions, PATIENCE)
        return process.cpu_ms


async def _drained(client: Client, versions: int) -> tuple[float, float]:
    """When the first ledger was written, and when the last version got its status."""
    async with asyncio.timeout(PATIENCE):
        first, last = await asyncio.gather(_first_ledger(client), _last_status(client, versions))
    return first, last


async def _first_ledger(client: Client) -> float:
    async for moment, _ in client.watch(MODEL_LEDGER):
        return moment
    raise AssertionError("a watch has no end")


async def _last_status(client: Client, versions: int) -> float:
    done: set[str] = set()
    async for moment, version in client.watch(CUSTOM_MODEL_VERSION):
        if version.get("status", {}).get("workload"):
            done.add(version["metadata"]["name"])
        if len(done) == versions:
            return moment
    raise AssertionError("a watch has no end")


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, and keep the numbers: the whole form in latest.json, others where `--json` says."""
    options = _parser().parse_args(arguments)
    try:
        with interrupts.raised():
            _measure(options, record_of(arguments))
    except interrupts.Interrupted as interrupted:
        print(f"Interrupted by {interrupted}; nothing runs any more.", file=sys.stderr)
        return interrupted.exit_code
    return 0


def _measure(options: argparse.Namespace, record: Path | None) -> None:
    if options.rounds:
        with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
            controllers = (operator(), reference(Path(folder)))
            _keep(record, comparison=_compared(options, controllers, Path(folder)))
            _keep(record, watching=_watched(options.versions, controllers[1], Path(folder)))
    if options.scale:
        _keep(record, scale=_scaled())
    if options.rest:
        _keep(record, rest=_rested(options.versions, options.rest))


def record_of(arguments: Sequence[str]) -> Path | None:
    """Where a run with these arguments keeps its numbers."""
    parser = _parser()
    options = parser.parse_args(arguments)
    whole = all(getattr(options, name) == parser.get_default(name) for name in ("versions", "rounds"))
    return options.json or (LATEST if whole else None)


def _keep(record: Path | None, **measured: Section) -> None:
    if record:
        kept(record, **measured)


def _compared(options: argparse.Namespace, controllers: Sequence[Controller], home: Path) -> Section:
    began, load = beginning(), Load() if options.steady else None
    samples: dict[str, list[dict[str, float]]] = {controller.name: [] for controller in controllers}
    writes: dict[str, dict[str, float]] = {}
    for number in range(options.rounds):
        for controller in controllers if number % 2 == 0 else reversed(controllers):
            _say(f"round {number + 1} of {options.rounds}: {controller.name}")
            there = home / f"{number}-{controller.name}"
            sample, writes[controller.name] = asyncio.run(measure(controller, options.versions, there, load))
            samples[controller.name].append(sample)
    print(table(samples))
    for name, wrote in writes.items():
        print(f"\nwrites for each version, {name}: {listed(wrote)}")
    return began | {"versions": options.versions, "samples": samples, "writes": writes}


def _watched(versions: int, writing: Controller, home: Path) -> Section:
    began = beginning()
    found = {way: asyncio.run(watching(way, writing, versions, home / way)) for way in WAYS}
    print(f"\nwatching our own kinds alone, cpu_ms for each version: {listed(found)}")
    return began | {"versions": versions, "cpu_ms": found}


def _scaled() -> Section:
    began, found = beginning(), list[tuple[Size, Scaled]]()
    for size in SIZES:
        _say(f"scale: {size}")
        with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
            found.append((size, asyncio.run(scaled(operator(), size, Path(folder) / "scale"))))
    print(f"\n{scale_table(found)}")
    return began | {"sizes": [{**asdict(size), **asdict(row)} for size, row in found]}


def _rested(models: int, seconds: float) -> Section:
    began = beginning()
    _say(f"rest: {models:,} models, {seconds:.0f} s")
    with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
        found = asyncio.run(rested(operator(), models, seconds, Path(folder) / "rest"))
    print(f"\n{rest_table(found)}")
    return began | asdict(found)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.controllers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--versions", type=int, default=1000, help="versions in each round (default 1000)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds for each controller (default 3; 0: no comparison)"
    )
    parser.add_argument(
        "--steady",
        action="store_true",
        help="also new versions at 5/s and 20/s, and two storms of edits",
    )
    parser.add_argument(
        "--scale",
        action="store_true",
        help="also the operator alone, from 100 to 5,000 versions (ten minutes)",
    )
    parser.add_argument(
        "--rest",
        type=float,
        nargs="?",
        const=600.0,
        metavar="SECONDS",
        help="also the operator alone beside as many models that all serve, while nothing happens (default 600 s)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="put the numbers into this record (default: docs/benchmarks/latest.json, if versions and rounds are the "
        "default's); what was not measured stays in it",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
