"""One worker, seen from the process that started it.

They speak in lines over a pair of sockets: `beat` is answered with whether it is ready, `report` with a report in
JSON, `report known` with one that names all that is known. A worker says of its own accord when it becomes ready.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import orjson

from modelyard.gateway.series import Report, Tally, report_of

BEAT: Final = b"beat\n"
REPORT: Final = b"report\n"
KNOWN: Final = b"report known\n"
READY: Final = b"1\n"
NOT_READY: Final = b"0\n"

_LONGEST_LINE = 64 * 1024 * 1024
_STALE = 10
"""Beats in a row without an answer, after which what it said of itself holds no longer: more than one misses that reads
the largest body."""


async def started(command: Sequence[str]) -> Worker:
    """A new worker: the command, with the number of its socket added."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command, str(theirs.fileno()), pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL
        )
    ours.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
    return Worker(process, reader, writer)


class Worker:
    """One worker."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._asked: deque[asyncio.Future[Report | None]] = deque()
        """Who waits for a report, in the order in which they come; who waited too long is still there."""

        self._says_ready = False
        self._hearing = asyncio.create_task(self._hear())
        self.pid = process.pid
        self.told = Tally()
        """What it had counted when it last reported."""

        self.missed = 0
        """Beats since it last said anything."""

        self.spoke = False
        """Whether it ever said anything."""

    @property
    def ready(self) -> bool:
        """Whether it said so not long ago."""
        return self._says_ready and self.missed < _STALE

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        return await self._process.wait()

    def end(self) -> None:
        """Let it finish, and end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def beat(self) -> None:
        """Ask whether it lives."""
        self.missed += 1
        self._ask(BEAT)

    async def report(self, seconds: float, *, known: bool = False) -> Report | None:
        """What it says of itself; None: it does not answer in time."""
        if not self._ask(KNOWN if known else REPORT):
            return None
        coming: asyncio.Future[Report | None] = asyncio.get_running_loop().create_future()
        self._asked.append(coming)
        try:
            async with asyncio.timeout(seconds):
                return await coming
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Forget it; a process that is still there is killed."""
        self._writer.close()
        if self._process.returncode is None:
            self.kill()
            await self._process.wait()
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)

    def _ask(self, line: bytes) -> bool:
        """Write a line; False: it would not be heard."""
        if self._hearing.done() or self._writer.is_closing():
            return False
        self._writer.write(line)
        return True

    async def _hear(self) -> None:
        try:
            while line := await self._reader.readline():
                self.missed, self.spoke = 0, True
                if line in (READY, NOT_READY):
                    self._says_ready = line == READY
                else:
                    self._take(report_of(orjson.loads(line)))
        except OSError:
            pass
        finally:
            self._says_ready = False
            while self._asked:
                _give(self._asked.popleft(), None)

    def _take(self, report: Report) -> None:
        self.told = report.tally
        _give(self._asked.popleft(), report)


def _give(coming: asyncio.Future[Report | None], report: Report | None) -> None:
    if not coming.done():
        coming.set_result(report)
