"""Several workers on one port: started, started again when they end or hang, asked for what they counted, and ended.

A worker is a process of its own. It inherits one end of a pair of sockets, on which it answers to what it is asked (see
`child`), and when the other end closes, because this process is no more, it ends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress

from modelyard.gateway.child import Worker, started
from modelyard.gateway.series import Report, Seen, Tally, total
from modelyard.gateway.settings import Settings

logger = logging.getLogger(__name__)

_BACKOFF = (0.1, 0.5, 2.0, 10.0)
"""Seconds before a worker that ended soon after its start is started again."""

_SOON = 10.0

_HANGS = 20
"""Beats in a row that a worker does not answer, after which it is killed: thrice as many as one takes that reads the
largest body. They are counted, not timed: a machine that stood still as a whole is no worker that hangs."""

_STARTS = 60
"""The same of one that has said nothing yet."""


class Supervisor:
    """`command` starts a worker; the number of its socket is added to it. What is still there `margin` seconds
    after the grace is killed. Each is asked every `beat` seconds whether it lives.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        settings: Settings,
        *,
        margin: float = 5.0,
        beat: float = 1.0,
    ) -> None:
        self._command, self._count, self._beat = command, count, beat
        self._patience = settings.drain_seconds + settings.grace_seconds + margin
        self._workers: list[Worker] = []
        self._ending = asyncio.Event()
        self.patience_for_reports = 2.0
        """Seconds that a worker has to report."""

        self.gone = Tally()
        """What workers counted that are no more."""

        self.restarts = self.missed_beats = 0

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are there."""
        return [worker.pid for worker in self._workers]

    @property
    def ready(self) -> bool:
        """Whether a worker said lately that it takes requests."""
        return any(worker.ready for worker in self._workers)

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
        known, patience = bool(self.gone.requests), self.patience_for_reports
        told = await asyncio.gather(*(worker.report(patience, known=known) for worker in asked))
        reports = {
            worker: report
            for worker, report in zip(asked, told, strict=True)
            if report is not None and worker in self._workers
        }
        self._forget(list(reports.values()))
        silent = (worker.told for worker in self._workers if worker not in reports)
        return Seen(list(reports.values()), total([self.gone, *silent]))

    def _forget(self, reports: list[Report]) -> None:
        """Drop counts of what no worker knows any longer."""
        names = [report.known for report in reports if report.known is not None]
        if names:
            self.gone.forget_but(frozenset().union(*names))

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
        watching = asyncio.create_task(self._watch(worker, number))
        try:
            return await self._ended(worker)
        finally:
            watching.cancel()
            await worker.close()
            self._workers.remove(worker)
            self.gone.add(worker.told)

    async def _watch(self, worker: Worker, number: int) -> None:
        """Ask the worker again and again whether it lives, and kill it when it hangs."""
        while worker.missed < (_HANGS if worker.spoke else _STARTS):
            self.missed_beats += worker.spoke and worker.missed > 0
            worker.beat()
            await asyncio.sleep(self._beat)
        logger.error("A worker hangs and is killed", extra={"worker": number, "pid": worker.pid})
        worker.kill()

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
