"""Processes under measurement: CPU and memory as the kernel counts them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.apiserver.server import ApiServer
from tests.cluster import interrupts

_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""The kernel ends what runs when this process is killed and cannot."""

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
REST_SECONDS = 1.0
REST_MS = 25.0
"""A process is at rest when it used no more CPU than this in so many seconds."""


def cpu_ms(pid: int) -> float:
    """CPU time that a process has used, in milliseconds (in steps of 10)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_MS


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A process that runs, and when it was started by the monotonic clock."""

    process: subprocess.Popen[bytes]
    began: float

    @property
    def cpu_ms(self) -> float:
        """CPU time used so far."""
        return cpu_ms(self.process.pid)

    @property
    def memory_mb(self) -> float:
        """Resident memory now."""
        return memory_mb(self.process.pid)

    async def at_rest(self, patience: float) -> float:
        """Wait until it is at rest; the moment from which on it was. TimeoutError after `patience` seconds."""
        end = time.monotonic() + patience
        since, used = time.monotonic(), self.cpu_ms
        while time.monotonic() - since < REST_SECONDS:
            await asyncio.sleep(0.05)
            assert self.process.poll() is None, "the process under measurement has ended"
            if self.cpu_ms - used > REST_MS:
                since, used = time.monotonic(), self.cpu_ms
            if time.monotonic() > end:
                raise TimeoutError("the process does not come to rest")
        return since


@contextmanager
def started(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[Running]:
    """A process for as long as the block; SIGTERM ends it, and SIGKILL 30 s later. It ends with us in any case."""
    with log.open("ab") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [*_WITH_US, *command], env={**os.environ, **environ}, stdout=output, stderr=output
        )
    try:
        yield Running(process, began)
    finally:
        with interrupts.ignored():
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Controller:
    """A program under measurement; its command line gets a kubeconfig at the end."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)

    def over(self, server: ApiServer) -> list[str]:
        """The command line over one API server."""
        return [*self.command, "--kubeconfig", str(server.kubeconfig)]
