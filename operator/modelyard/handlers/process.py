"""The operator's process, put together: what starts when, what watches over what, and how it all ends.

health server
reflectors of our own kinds and of children         (nothing is passed over until each has listed once)
workers                                             until SIGTERM, or until a part of it fails
workers end their passes; then no write leaves; then the rest
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modelyard.api.kinds import ALL_KINDS, CHILD_KINDS, OWN_KINDS, Kind
from modelyard.api.labels import MANAGED_BY, MANAGED_BY_VALUE
from modelyard.handlers.census import Census
from modelyard.handlers.health import Check, Health, HealthServer, LagMeter, silence_check, standstill_check
from modelyard.handlers.loop import Loop, Pass, World
from modelyard.handlers.metrics import Metrics
from modelyard.handlers.queue import Queue
from modelyard.handlers.routing import Key, leader
from modelyard.kube.access import Access
from modelyard.kube.cache import Cache
from modelyard.kube.lists import OWN_PAGE, PAGE, Scope
from modelyard.kube.live import LiveCluster
from modelyard.kube.reflector import Reflector
from modelyard.kube.session import Session
from modelyard.settings import Settings

logger = logging.getLogger(__name__)

GRACE = 20.0
"""Seconds that passes under way have to end; less than the pod's own 30."""

_OURS = f"{MANAGED_BY}={MANAGED_BY_VALUE}"


@dataclass(frozen=True, slots=True)
class Setup:
    """What one operator is made of."""

    access: Access
    settings: Settings
    passes: Mapping[Kind, Pass]
    instance: str = "modelyard"
    """Names this process in Events."""

    host: str | None = None
    """Where the probes answer; None = everywhere."""


class Operator:
    """One operator. Make it inside the event loop that it runs in."""

    def __init__(self, setup: Setup) -> None:
        self.metrics = Metrics()
        self.cache = Cache()
        self.ready = asyncio.Event()
        self.port = 0
        self._setup, self._stop = setup, asyncio.Event()
        self._session = Session(setup.access, self.metrics.requested)
        self.cluster = LiveCluster(self._session, self.cache, now=_now, instance=setup.instance)
        clock = asyncio.get_running_loop().time
        self.queue: Queue[Key] = Queue(clock, lambda key: leader(key, self.cache))
        world = World(self.cluster, self.cache, setup.settings, setup.passes, _now)
        self._loop = Loop(world, self.queue, self.metrics)
        self.cache.listen(Census(self.metrics.registry).changed)
        own = [self._reflector(scope, OWN_PAGE) for scope in self._scopes(OWN_KINDS, "")]
        children = [self._reflector(scope, PAGE) for scope in self._scopes(CHILD_KINDS, _OURS)]
        self._reflectors = own + children
        self._lag = LagMeter()
        self._tasks: dict[asyncio.Task[Any], str] = {}

    def stop(self) -> None:
        """End in good order; `run` returns when that is done."""
        self._stop.set()

    async def run(self) -> bool:
        """Run until stopped (True) or until a part that must not end did (False; the log says which)."""
        server = HealthServer(self._health(), self._setup.settings.port, self._setup.host)
        self._measure()
        try:
            self.port = await server.start()
            self._start("loop lag", self._lag.run())
            for reflector in self._reflectors:
                self._start(f"watch of {reflector.scope}", reflector.run())
            if await self._until(self._synced()):
                logger.info("All kinds are listed", extra={"objects": sum(map(self.cache.count, ALL_KINDS))})
                self._start("workers", self._loop.run())
                self.ready.set()
                await self._until(asyncio.Event().wait())
            return self._stop.is_set()
        finally:
            await self._end()
            await server.stop()

    def _scopes(self, kinds: tuple[Kind, ...], selector: str) -> list[Scope]:
        namespaces: tuple[str | None, ...] = self._setup.settings.namespaces or (None,)
        return [Scope(kind, namespace, selector) for kind in kinds for namespace in namespaces]

    def _reflector(self, scope: Scope, page: int) -> Reflector:
        restarted = self.metrics.watch_restarted
        return Reflector(self._session, self.cache, scope, page=page, on_restart=restarted)

    def _start(self, name: str, part: Coroutine[Any, Any, Any]) -> None:
        self._tasks[asyncio.create_task(part, name=name)] = name

    async def _synced(self) -> None:
        for reflector in self._reflectors:
            await reflector.synced.wait()

    async def _until(self, condition: Awaitable[Any]) -> bool:
        """Wait for it; False when the operator is stopped or a part of it ended before."""
        waiting, stopping = asyncio.ensure_future(condition), asyncio.ensure_future(self._stop.wait())
        try:
            watched = {waiting, stopping, *self._tasks}
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            ended = [task for task in done if task in self._tasks]
            for task in ended:
                self._report(task)
            return waiting in done and stopping not in done and not ended
        finally:
            waiting.cancel()
            stopping.cancel()

    def _report(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        part = self._tasks[task]
        logger.critical(
            "A part of the operator ended; so does the operator", extra={"part": part}, exc_info=error
        )

    async def _end(self) -> None:
        self.ready.clear()
        logger.info("Stopping", extra={"passes": self.queue.running})
        await self._loop.stop(GRACE)
        self.cluster.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()
        logger.info("Stopped")

    def _health(self) -> Health:
        live: list[Check] = [self._lag.check, standstill_check(lambda: self.queue.standstill)]
        for reflector in self._reflectors:
            what = f"watch of {reflector.scope}"
            live.append(silence_check(what, reflector.silent_for, reflector.timing.stuck_after))
        return Health(live, [self._check_ready], self.metrics)

    def _check_ready(self) -> str | None:
        return None if self.ready.is_set() else "not every kind is listed yet, or the operator is stopping"

    def _measure(self) -> None:
        gauge = self.metrics.gauge
        gauge("queue_depth", "Keys that wait for a worker", lambda: self.queue.depth)
        gauge("queue_head_seconds", "How long the head of the queue has waited", lambda: self.queue.head_age)
        gauge("passes_running", "Passes under way", lambda: self.queue.running)
        gauge("loop_lag_seconds", "How late the event loop is", lambda: self._lag.lag)
        kinds = (*OWN_KINDS, *CHILD_KINDS)
        self.metrics.gauge_by_kind("cached_objects", "Objects in the cache", kinds, self.cache.count)


def take_signals(operator: Operator) -> None:
    """SIGTERM and SIGINT stop the operator in good order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, operator.stop)


def _now() -> datetime:
    return datetime.now(UTC)
