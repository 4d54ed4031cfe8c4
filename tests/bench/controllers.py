"""`make bench`: the operator beside a Go controller that writes the same objects.

    python -m tests.bench.controllers [--versions 1000] [--rounds 3] [--json FILE]

Each controller gets an API server and etcd of its own in each round, and the two take turns. The objects are there
before a controller starts. What it costs is what it used until it was at rest, less what it uses to start over nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modelyard.api.kinds import CUSTOM_MODEL_VERSION, DEPLOYMENT, MODEL_LEDGER
from tests.apiserver.server import ApiServer, our_crds, running
from tests.bench.operators import environ, operator, settle_environment
from tests.bench.processes import Controller, cpu_ms, started
from tests.bench.rest import Rest, rested
from tests.bench.rest import table as rest_table
from tests.bench.scale import SIZES, Scaled, Size, scaled
from tests.bench.scale import table as scale_table
from tests.bench.server import Client, connected, pid_of, seed
from tests.bench.steady import Load, measured
from tests.bench.templates import templates
from tests.bench.watching import WAYS
from tests.cluster.progress import Progress
from tests.cluster.tools import Module, built

ROOT = Path(__file__).parents[2]
REFERENCE = Module("reference", (".",), ROOT / "tests" / "bench")
PATIENCE = 900.0


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
    """Writes for each version."""

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
            settled = await client.writes()
            again = await _cpu_over(controller, server, folder) - idle
            rewritten = sum((await client.writes() - settled).values())
    wrote = {name: round(count / versions, 3) for name, count in sorted((after - before).items())}
    sample = Sample(
        cpu / versions,
        server_cpu / versions,
        versions / (last - first),
        first_write,
        memory,
        sum(wrote.values()),
        rewritten,
        again / versions,
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


async def _cpu_over(controller: Controller, server: ApiServer, folder: Path) -> float:
    """CPU from a start over what there is until rest."""
    with started(controller.over(server), controller.environ, folder / "log") as process:
        await process.at_rest(PATIENCE)
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


def table(samples: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Medians with their range, one line a measure, and ours over the reference."""
    ours, theirs = samples["modelyard"], samples["reference"]
    lines = ["| measure | modelyard | reference | ratio |", "|---|---|---|---|"]
    ratio = ratios(samples)
    for name in ours[0]:
        here, there = ([sample[name] for sample in found] for found in (ours, theirs))
        times = f"{ratio[name]:.2f}" if name in ratio else "-"
        lines.append(f"| {name} | {_spread(here)} | {_spread(there)} | {times} |")
    return "\n".join(lines)


def ratios(samples: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, float]:
    """Our median over the reference's, for each measure in which the reference's is not zero."""
    ours, theirs = samples["modelyard"], samples["reference"]
    below = {name: statistics.median(sample[name] for sample in theirs) for name in ours[0]}
    return {
        name: round(statistics.median(sample[name] for sample in ours) / median, 3)
        for name, median in below.items()
        if median
    }


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, and keep the numbers where `--json` says."""
    options = _parser().parse_args(arguments)
    samples: dict[str, list[dict[str, float]]] = {"modelyard": [], "reference": []}
    load = Load() if options.steady else None
    writes: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
        home = Path(folder)
        controllers = [operator(), reference(home)]
        for number in range(options.rounds):
            for controller in controllers if number % 2 == 0 else reversed(controllers):
                print(
                    f"round {number + 1} of {options.rounds}: {controller.name}", file=sys.stderr, flush=True
                )
                there = home / f"{number}-{controller.name}"
                sample, writes[controller.name] = asyncio.run(
                    measure(controller, options.versions, there, load)
                )
                samples[controller.name].append(sample)
        watched = {
            way: asyncio.run(watching(way, controllers[1], options.versions, home / way)) for way in WAYS
        }
    print(table(samples))
    print("\nwatching our own kinds alone, cpu_ms for each version: " + _listed(watched))
    for name, wrote in writes.items():
        print(f"\nwrites for each version, {name}: {_listed(wrote)}")
    sizes = _scaled() if options.scale else []
    if sizes:
        print(f"\n{scale_table(sizes)}")
    rest = _rested(options.versions, options.rest) if options.rest else None
    if rest:
        print(f"\n{rest_table(rest)}")
    if options.json:
        record = _record(options.versions, samples, writes, watched, sizes, rest)
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def _scaled() -> list[tuple[Size, Scaled]]:
    found = []
    for size in SIZES:
        print(f"scale: {size}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
            found.append((size, asyncio.run(scaled(operator(), size, Path(folder) / "scale"))))
    return found


def _rested(models: int, seconds: float) -> Rest:
    print(f"rest: {models:,} models, {seconds:.0f} s", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
        return asyncio.run(rested(operator(), models, seconds, Path(folder) / "rest"))


def _listed(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{figure:.3g} {what}" for what, figure in figures.items())


def _record(
    versions: int,
    samples: Mapping[str, Sequence[Mapping[str, float]]],
    writes: Mapping[str, Mapping[str, float]],
    watched: Mapping[str, float],
    sizes: Sequence[tuple[Size, Scaled]],
    rest: Rest | None,
) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "versions": versions,
        "samples": samples,
        "ratio": ratios(samples),
        "writes": writes,
        "watching_cpu_ms": watched,
        "scale": [{**asdict(size), **asdict(row)} for size, row in sizes],
        "rest": asdict(rest) if rest else None,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.controllers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--versions", type=int, default=1000, help="versions in each round (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each controller (default 3)")
    parser.add_argument(
        "--steady",
        action="store_true",
        help="also new versions at 20/s, a storm of edits, and a minute in which versions wait for pods",
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
