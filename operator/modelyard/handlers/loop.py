"""The workers: take a key, pass over it, decide when again. One pass a key at a time, several keys at once."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from modelyard.api.kinds import Kind
from modelyard.handlers.metrics import Metrics
from modelyard.handlers.next_wake import NextWake, after_failure, after_outcome
from modelyard.handlers.queue import Closed, Queue
from modelyard.handlers.routing import Key, news_of
from modelyard.kube.backoff import Dice
from modelyard.kube.cache import Cache
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.kube.errors import ApiError
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Waiting
from modelyard.telemetry import about

logger = logging.getLogger(__name__)

Pass = Callable[[Cluster, Settings, str, str, datetime], Awaitable[Outcome]]
"""A pass over one object: (cluster, settings, namespace, name, now). It may find that the object is gone."""

LONGEST_PASS = 120.0
"""Seconds after which a pass is cut off; every request in it has a shorter timeout of its own."""

_passing: ContextVar[Key | None] = ContextVar("passing", default=None)
"""Whose pass this task runs: the answers to its writes change the cache from within it."""


@dataclass(frozen=True, slots=True)
class World:
    """What passes are given, and what decides when they run."""

    cluster: Cluster
    cache: Cache
    settings: Settings
    passes: Mapping[Kind, Pass]
    now: Callable[[], datetime]
    dice: Dice = random.random


@dataclass(slots=True)
class _Trouble:
    """Failures in a row over one key."""

    count: int = 0
    logged: set[str] = field(default_factory=set)


class Loop:
    """Workers over one queue."""

    def __init__(self, world: World, queue: Queue[Key], metrics: Metrics) -> None:
        self._world, self._queue, self._metrics = world, queue, metrics
        self._trouble: dict[Key, _Trouble] = {}
        self._workers: list[asyncio.Task[None]] = []
        world.cache.listen(self._changed)

    async def run(self) -> None:
        """Work until `stop`; raises what a worker raises, which would be a bug of ours."""
        count = self._world.settings.concurrency
        self._workers = [asyncio.create_task(self._work(), name=f"worker {n}") for n in range(count)]
        await asyncio.gather(*self._workers)

    async def stop(self, grace: float) -> None:
        """Begin no further pass; wait so many seconds for those under way, then cut them off."""
        self._queue.close()
        if not self._workers:
            return
        _, late = await asyncio.wait(self._workers, timeout=grace)
        for worker in late:
            worker.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _changed(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        known, passing = self._world.cache, _passing.get()
        for key in news_of(kind, namespace, name, (old, new), known, passing=passing):
            if key.kind in self._world.passes:
                self._queue.wake(key)

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.take()
            except Closed:
                return
            _passing.set(key)
            try:
                with about(key.kind.name, key.namespace, key.name):
                    following = await self._pass(key)
            finally:
                _passing.set(None)
                self._queue.done(key)
            if following is not None:
                self._queue.wake_after(key, following.delay)

    async def _pass(self, key: Key) -> NextWake | None:
        """One pass; None when the object is gone and nothing remains to be done."""
        started = time.monotonic()
        world = self._world
        outcome: Outcome | None = None
        try:
            async with asyncio.timeout(LONGEST_PASS):
                outcome = await world.passes[key.kind](
                    world.cluster, world.settings, key.namespace, key.name, world.now()
                )
        except Exception as error:  # noqa: BLE001 - a bug in one pass must not end the others; it is logged
            following = self._failed(key, error)
        else:
            following = self._succeeded(key, outcome)
        self._metrics.passed(key.kind, following.word, time.monotonic() - started)
        is_over = outcome is not None and not isinstance(outcome, Waiting) and world.cache.get(*key) is None
        return None if is_over else following

    def _succeeded(self, key: Key, outcome: Outcome) -> NextWake:
        if self._trouble.pop(key, None) is not None:
            logger.info("Pass succeeds again")
        return after_outcome(outcome, self._world.dice)

    def _failed(self, key: Key, error: Exception) -> NextWake:
        trouble = self._trouble.setdefault(key, _Trouble())
        trouble.count += 1
        following = after_failure(error, trouble.count, self._world.dice)
        text = f"{type(error).__name__}: {error}"
        if text not in trouble.logged:
            trouble.logged.add(text)
            _log(error, text)
        return following


def _log(error: Exception, text: str) -> None:
    """Once for each trouble of a key. Refusals of the API server are no surprise; all else shows where it is."""
    if isinstance(error, ApiError):
        logger.warning("Pass failed; it will be repeated", extra={"reason": text})
    else:
        logger.error("Pass failed; it will be repeated", extra={"reason": text}, exc_info=error)
