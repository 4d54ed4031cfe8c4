"""Processes of the bench: each in a session of its own on one core, and what it costs with all its children."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import cpu_ms, memory_mb
from tests.cluster import interrupts

_PATIENCE = 10.0
"""Seconds that a process has to end."""

_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""The kernel ends what runs when this process is killed and cannot."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used so far: milliseconds of CPU, and resident memory in MB."""

    cpu_ms: float
    memory_mb: float


def usage(pid: int) -> Usage:
    """Of a process and of all that it started and that still runs."""
    cpu = memory = 0.0
    for member in tree(pid, parents()):
        with suppress(OSError):  # it may end while it is looked at
            used, resident = cpu_ms(member), memory_mb(member)
            cpu, memory = cpu + used, memory + resident
    return Usage(cpu, memory)


def tree(root: int, parent_of: Mapping[int, int]) -> set[int]:
    """`root` and its descendants."""
    found, fresh = set[int](), {root}
    while fresh:
        found |= fresh
        fresh = {pid for pid, parent in parent_of.items() if parent in found} - found
    return found


def parents() -> dict[int, int]:
    """The parent of each process of this machine."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                stat = (process / "stat").read_text().rpartition(")")[2].split()
                found[int(process.name)] = int(stat[1])
    return found


@contextmanager
def pinned(
    command: Sequence[str], core: int, *, environ: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process on one core for as long as the block; then it and all that it started are ended."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_WITH_US, "taskset", "--cpu-list", str(core), *command],
            env={**os.environ, **environ},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with interrupts.ignored():
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    members = tree(process.pid, parents())
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _kill(members - {process.pid}, process.pid)


def _kill(members: Iterable[int], session: int) -> None:
    """Kill what is left of a session; another process may have got one of the numbers meanwhile."""
    for member in members:
        with suppress(ProcessLookupError):
            if os.getsid(member) == session:
                os.kill(member, signal.SIGKILL)
