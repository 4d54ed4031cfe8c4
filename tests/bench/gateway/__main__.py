"""`make bench-gateway`: the gateway beside proxies and servers that do less, as much, or more.

    python -m tests.bench.gateway [--rounds 3] [--seconds 1] [--json FILE] [--page FILE]

All run at once, each on the same core; wrk and the model have another. They are asked in turns: a round is one load of
each, and every second round goes backwards, so that what else happens on the machine happens to all. Before each round
each must answer right. Programs that are missing are fetched or built once, outside the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.gateway import report
from tests.bench.gateway.bodies import Case, Wrong, cases
from tests.bench.gateway.figures import FEW, MANY, Load, Sample
from tests.bench.gateway.peers import PEERS, ROOT, versions
from tests.bench.gateway.programs import ProgramMissing, debian
from tests.bench.gateway.report import recorded, text_of
from tests.bench.gateway.running import Server, cores, serving, written
from tests.bench.gateway.wrk import LoadFailed, Wrk
from tests.cluster import interrupts
from tests.cluster.progress import Progress
from tests.cluster.tools import ToolMissing
from tests.cluster.waiting import NeverHappened
from tests.gateway.compiled import NotCompiled
from tests.gateway.environments import EnvironmentMissing

_KNOWN = (ProgramMissing, ToolMissing, EnvironmentMissing, NotCompiled, NeverHappened, LoadFailed, Wrong)

Found = dict[Load, dict[str, list[Sample]]]


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, and keep the numbers where `--json` says."""
    options = _parser().parse_args(arguments)
    progress = Progress()
    try:
        with interrupts.raised():
            return _measure(options, progress)
    except _KNOWN as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print(f"Interrupted by {interrupted}; nothing runs any more.", file=sys.stderr)
        return interrupted.exit_code


def _measure(options: argparse.Namespace, progress: Progress) -> int:
    chosen = [case for name, case in cases().items() if name in options.cases]
    where = cores()
    packages = debian(progress)
    wrk = Wrk(packages.program("wrk"), packages.environ, where.load)
    with tempfile.TemporaryDirectory(prefix="modelyard-bench-") as folder:
        home = Path(folder)
        bodies = written(chosen, home)
        with serving(options.peers, home, where, chosen[0], progress) as servers:
            found: Found = {(case.name, count): {} for case in chosen for count in (FEW, MANY)}
            for number in range(options.rounds):
                progress.say(f"Round {number + 1} of {options.rounds}")
                _round(servers[:: -1 if number % 2 else 1], chosen, found, wrk, bodies, options.seconds)
            titles = {server.peer.name: server.peer.title for server in servers}
    about = _about(options, versions(options.peers, progress))
    _leave(recorded(found, titles, **about), options.json, options.page)
    return 0


def _leave(record: Mapping[str, Any], file: Path | None, page: Path | None) -> None:
    """Print what was found, and write it where it is wanted."""
    print(text_of(record))
    if file:
        file.write_text(json.dumps(record, indent=1) + "\n")
    if page:
        page.write_text(report.written(page.read_text(), record))


def _round(
    servers: Iterable[Server], chosen: Iterable[Case], found: Found, wrk: Wrk, bodies: Path, seconds: int
) -> None:
    """One load of each kind for each server, which must answer one request of each kind right before."""
    for case in chosen:
        able = [server for server in servers if case.name not in server.peer.lacks]
        for server in able:
            server.ask(case)
        for connections in (FEW, MANY):
            for server in able:
                samples = found[case.name, connections].setdefault(server.peer.name, [])
                samples.append(server.measure(wrk, case, bodies, connections, seconds))


def _about(options: argparse.Namespace, ran: Mapping[str, str]) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cpu": _processor(),
        "versions": dict(ran),
        "rounds": options.rounds,
        "seconds": options.seconds,
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} cores of {found[1]}" if found else f"{os.cpu_count()} cores"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gateway", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=_positive, default=3, help="rounds for each load (default 3)")
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=1,
        help="of each load, whole ones; four times that for many tensors (default 1)",
    )
    everyone, everything = tuple(PEERS), tuple(cases())
    parser.add_argument(
        "--peers", nargs="+", choices=everyone, default=everyone, metavar="NAME", help=" ".join(everyone)
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=everything,
        default=everything,
        metavar="NAME",
        help=" ".join(everything),
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also put the tables into this page")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
