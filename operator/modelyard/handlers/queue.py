"""The queue of keys that are to be passed over.

    wake(key)  ------------------------------> ready (first in, first out) --take--> running --done-->
    wake_after(key, delay) --> delayed --due--^                                        |
                                               ^------- woken meanwhile ---------------+

A key is in the queue once, however often it is woken, and never runs twice at once. Of several delays the
earliest stands. `Schedule` decides and knows no clock; `Queue` adds the clock and the waiting.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Schedule(Generic[K]):
    """Which key is next; all times are given by the caller, in seconds."""

    def __init__(self) -> None:
        self._ready: dict[K, float] = {}
        self._delayed: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._running: set[K] = set()
        self._woken: dict[K, float] = {}

    def wake(self, key: K, now: float) -> None:
        """A pass over this key begins after this, as soon as may be."""
        if key in self._running:
            self._woken.setdefault(key, now)
        else:
            self._delayed.pop(key, None)
            self._ready.setdefault(key, now)

    def wake_at(self, key: K, due: float) -> None:
        """A pass over this key begins at this time, or earlier if it is woken."""
        if key in self._ready or due >= self._delayed.get(key, float("inf")):
            return
        self._delayed[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))

    def take(self, now: float) -> K | None:
        """The next key, which runs from now until `done`; None when none is ready."""
        self._promote(now)
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        self._delayed.pop(key, None)
        self._running.add(key)
        return key

    def done(self, key: K) -> None:
        """The pass ended; if the key was woken meanwhile it queues up again."""
        self._running.discard(key)
        if key in self._woken:
            self._delayed.pop(key, None)
            self._ready.setdefault(key, self._woken.pop(key))

    def next_due(self) -> float | None:
        """When the earliest delayed key is due."""
        while self._heap and self._delayed.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    @property
    def depth(self) -> int:
        """Keys that are ready and wait for a worker."""
        return len(self._ready)

    @property
    def running(self) -> int:
        """Keys whose pass is under way."""
        return len(self._running)

    def oldest(self) -> float | None:
        """Since when the head of the queue is ready."""
        return next(iter(self._ready.values()), None)

    def _promote(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._delayed[key]
            if key in self._running:
                self._woken.setdefault(key, due)
            else:
                self._ready.setdefault(key, due)


class Closed(Exception):
    """The queue gives out no more keys."""


class Queue(Generic[K]):
    """A schedule on a clock, for workers of one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._schedule: Schedule[K] = Schedule()
        self._changed = asyncio.Event()
        self._closed = False

    def wake(self, key: K) -> None:
        """Pass over this key soon."""
        self._schedule.wake(key, self._clock())
        self._changed.set()

    def wake_after(self, key: K, delay: float) -> None:
        """Pass over this key in so many seconds, unless it is woken before."""
        self._schedule.wake_at(key, self._clock() + delay)
        self._changed.set()

    def close(self) -> None:
        """Give out no more keys: `take` raises Closed."""
        self._closed = True
        self._changed.set()

    async def take(self) -> K:
        """The next key, when there is one; `done` must follow. Raises Closed."""
        while True:
            if self._closed:
                raise Closed
            key = self._schedule.take(self._clock())
            if key is not None:
                return key
            await self._wait()

    def done(self, key: K) -> None:
        """The pass over this key ended."""
        self._schedule.done(key)
        self._changed.set()

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return self._schedule.depth

    @property
    def running(self) -> int:
        """Passes under way."""
        return self._schedule.running

    @property
    def head_age(self) -> float:
        """Seconds that the head of the queue has been waiting; 0 when nothing waits."""
        oldest = self._schedule.oldest()
        return 0.0 if oldest is None else max(0.0, self._clock() - oldest)

    async def _wait(self) -> None:
        self._changed.clear()
        due = self._schedule.next_due()
        delay = None if due is None else max(0.0, due - self._clock())
        try:
            async with asyncio.timeout(delay):
                await self._changed.wait()
        except TimeoutError:
            return
