"""Several workers on one port: started, started again when they end, asked for what they counted, and ended.

A worker is a process of its own. It inherits one end of a pair of sockets: for each line that is written to it, it
reports in one line of JSON, and when the other end closes, because this process is no more, it ends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress

import orjson

from modelyard.gateway.series import Report, Seen, Tally, report_of, total
from modelyard.gateway.settings import Settings

logger = logging.getLogger(__name__)

_LONGEST_LINE = 64 * 1024 * 1024
_BACKOFF = (0.1, 0.5, 2.0, 10.0)
"""Seconds before a worker that ended soon after its start is started again."""

_SOON = 10.0


class Supervisor:
    """`command` starts a worker; the number of its socket is added to it. What is still there `margin` seconds
    after the grace is killed.
    """

    def __init__(
        self, command: Sequence[str], count: int, settings: Settings, *, margin: float = 5.0
    ) -> None:
        self._command, self._count = command, count
        self._patience = settings.drain_seconds + settings.grace_seconds + margin
        self._workers: list[Worker] = []
        self._ending = asyncio.Event()
        self.patience_for_reports = 2.0
        """Seconds that a worker has to report."""

        self.gone = Tally()
        """What workers counted that are no more."""

        self.restarts = 0

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are there."""
        return [worker.pid for worker in self._workers]

    @property
    def ending(self) -> bool:
        """Whether it was told to end."""
        return self._ending.is_set()

    def end(self) -> None:
        """Let the workers finish what is under way, and end; `run` returns then."""
        if not self._ending.is_set():
            self._ending.set()
            for worker in self._workers:
                worker.end()

    async def run(self) -> None:
        """Keep the workers running until told to end."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._keep(number))

    async def seen(self) -> Seen:
        """A report of each worker that answers in time; of the others, what they told before."""
        asked = tuple(self._workers)
        told = await asyncio.gather(*(worker.report(self.patience_for_reports) for worker in asked))
        reports = {
            worker: report
            for worker, report in zip(asked, told, strict=True)
            if report is not None and worker in self._workers
        }
        silent = (worker.told for worker in self._workers if worker not in reports)
        return Seen(list(reports.values()), total([self.gone, *silent]))

    async def _keep(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not self.ending:
            began = loop.time()
            code = await self._one(number)
            if self.ending:
                return
            self.restarts += 1
            failures = failures + 1 if loop.time() - began < _SOON else 0
            pause = _BACKOFF[min(failures, len(_BACKOFF) - 1)]
            logger.error(
                "A worker ended and is started again", extra={"worker": number, "code": code, "pause": pause}
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._ending.wait()

    async def _one(self, number: int) -> int:
        """The life of one worker; its exit code."""
        worker = await started(self._command)
        logger.info("A worker started", extra={"worker": number, "pid": worker.pid})
        self._workers.append(worker)
        if self.ending:
            worker.end()
        try:
            return await self._ended(worker)
        finally:
            await worker.close()
            self._workers.remove(worker)
            self.gone.add(worker.told)

    async def _ended(self, worker: Worker) -> int:
        exit_code = asyncio.create_task(worker.wait())
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait((exit_code, ending), return_when=asyncio.FIRST_COMPLETED)
            if not exit_code.done():
                await asyncio.wait((exit_code,), timeout=self._patience)
            return exit_code.result() if exit_code.done() else -signal.SIGKILL
        finally:
            ending.cancel()
            exit_code.cancel()


async def started(command: Sequence[str]) -> Worker:
    """A new worker."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command, str(theirs.fileno()), pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL
        )
    ours.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
    return Worker(process, reader, writer)


class Worker:
    """One worker, seen from outside."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._one_at_a_time = asyncio.Lock()
        self._late = 0
        """Lines that were waited for in vain, and may still come."""

        self.pid = process.pid
        self.told = Tally()
        """What it had counted when it was last asked."""

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        return await self._process.wait()

    def end(self) -> None:
        """Let it finish, and end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    async def report(self, seconds: float) -> Report | None:
        """What it says of itself; None: it does not answer in time."""
        try:
            async with asyncio.timeout(seconds), self._one_at_a_time:
                if self._writer.is_closing():
                    return None
                self._writer.write(b"\n")
                self._late += 1
                while self._late:
                    line = await self._reader.readuntil(b"\n")
                    self._late -= 1
        except (OSError, asyncio.IncompleteReadError):
            return None
        report = report_of(orjson.loads(line))
        self.told = report.tally
        return report

    async def close(self) -> None:
        """Forget it; a process that is still there is killed."""
        self._writer.close()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
