"""The queue of keys that are to be passed over.

    wake(key)  ------------------------------> ready (first in, first out) --take--> running --done-->
    wake_after(key, delay) --> delayed --due--^                                        |
                                               ^------- woken meanwhile ---------------+

A key is in the queue once, however often it is woken, and never runs twice at once. Of several delays the
earliest stands. Keys may have a leader (a version its model): neither begins while the other runs, and when both
are ready the leader is first. What one writes the other then reads in one pass, not in one for each write. Each
waits for the other but once for each time that it was woken: a leader that is woken all the time holds nobody up.
A key that comes while its leader runs, and the leader is to run again, waits for that: what runs may not have seen
what is new. After a leader those that it leads have their turn, before all others: what it looked at is still at hand.

`Schedule` decides and knows no clock; `Queue` adds the clock and the waiting.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


Leader = Callable[[K], K | None]
"""The key whose pass goes before a key's own; None for none."""


def alone(key: Hashable) -> None:
    """No key leads another."""


_STALE: Final = 64
"""Delays that do not stand any more are kept up to this, and up to as many as there are that stand."""


class _Turn(NamedTuple, Generic[K]):
    """Of a key that is ready, waits for another, or runs: since when, and the leader that it had by then."""

    since: float
    leader: K | None


class Schedule(Generic[K]):
    """Which key is next; all times are given by the caller, in seconds."""

    def __init__(self, leader: Leader[K] = alone) -> None:
        self._leader = leader
        self._ready: OrderedDict[K, _Turn[K]] = OrderedDict()
        self._led: dict[K, dict[K, None]] = {}
        """Ready keys by their leader, until its next pass is over."""

        self._behind: dict[K, dict[K, _Turn[K]]] = {}
        self._waits: set[K] = set()
        self._has_waited: set[K] = set()
        self._delayed: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._running: dict[K, _Turn[K]] = {}
        self._woken: dict[K, float] = {}

    def wake(self, key: K, now: float) -> None:
        """A pass over this key begins after this, as soon as may be."""
        if key in self._running:
            self._woken.setdefault(key, now)
        elif key not in self._waits:
            self._delayed.pop(key, None)
            if key not in self._ready:
                self._queue_up(key, _Turn(now, self._leader(key)))

    def wake_at(self, key: K, due: float) -> None:
        """A pass over this key begins at this time, or earlier if it is woken."""
        if key in self._ready or key in self._waits or due >= self._delayed.get(key, float("inf")):
            return
        self._delayed[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        if len(self._heap) > _STALE + 2 * len(self._delayed):
            self._heap = [entry for entry in self._heap if self._delayed.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)

    def take(self, now: float) -> K | None:
        """The next key, which runs from now until `done`; None when none is ready."""
        self._promote_one(now)
        while self._ready:
            key, turn = self._ready.popitem(last=False)
            self._leave(key, turn.leader)
            self._delayed.pop(key, None)
            other = None if key in self._has_waited else self._goes_first(key, turn.leader)
            if other is None:
                self._has_waited.discard(key)
                self._running[key] = _Turn(now, turn.leader)
                return key
            self._wait_behind(other, {key: turn})
            if not self._ready:
                self._promote_one(now)
        return None

    def done(self, key: K) -> None:
        """The pass ended; what waited for it is ready; if the key was woken meanwhile it queues up again."""
        began = self._running.pop(key).since
        turns = {**self._behind.pop(key, {}), **self._followers(key)}
        if key in self._woken:
            self._delayed.pop(key, None)
            self._queue_up(key, _Turn(self._woken.pop(key), self._leader(key)))
            fresh = self._fresh(key, began, turns)
            if fresh:
                self._ready.move_to_end(key, last=False)
                self._wait_behind(key, fresh)
        self._go_next(turns)

    def _fresh(self, key: K, began: float, turns: dict[K, _Turn[K]]) -> dict[K, _Turn[K]]:
        """Take out of these what the key leads and what came during its pass, unless it has to wait itself."""
        if self._goes_first(key, self._leader(key)) is not None:
            return {}
        fresh = [each for each, turn in turns.items() if turn.leader == key and turn.since > began]
        return {each: turns.pop(each) for each in fresh}

    def next_due(self) -> float | None:
        """When the earliest delayed key is due."""
        while self._heap and self._delayed.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    @property
    def depth(self) -> int:
        """Keys that are ready, and wait for a worker or for another key's pass."""
        return len(self._ready) + len(self._waits)

    def overdue(self, now: float) -> int:
        """Keys that fell due and were not looked at yet."""
        return sum(due <= now for due in self._delayed.values())

    @property
    def running(self) -> int:
        """Keys whose pass is under way."""
        return len(self._running)

    def oldest(self) -> float | None:
        """Since when the head of the queue is ready."""
        return next((turn.since for turn in self._ready.values()), None)

    def _queue_up(self, key: K, turn: _Turn[K]) -> None:
        self._ready[key] = turn
        if turn.leader is not None:
            self._led.setdefault(turn.leader, {})[key] = None

    def _leave(self, key: K, leader: K | None) -> None:
        led = self._led.get(leader, {}) if leader is not None else {}
        led.pop(key, None)
        if leader is not None and not led:
            self._led.pop(leader, None)

    def _followers(self, leader: K) -> dict[K, _Turn[K]]:
        """Those ready that it leads and that were not behind it before; they are ready no more."""
        return {key: self._ready.pop(key) for key in self._led.pop(leader, {})}

    def _wait_behind(self, other: K, turns: dict[K, _Turn[K]]) -> None:
        """These are ready again when the other's next pass, or the one that is under way, is over."""
        self._waits.update(turns)
        self._behind.setdefault(other, {}).update(turns)

    def _go_next(self, turns: dict[K, _Turn[K]]) -> None:
        """These are next, in this order; who waited has done so."""
        for key, turn in reversed(turns.items()):
            self._waits.discard(key)
            self._has_waited.add(key)
            self._ready[key] = turn
            self._ready.move_to_end(key, last=False)

    def _goes_first(self, key: K, leader: K | None) -> K | None:
        """The leader that is ready or runs, or a follower that runs."""
        if leader is not None and (leader in self._running or leader in self._ready):
            return leader
        return next((other for other, turn in self._running.items() if turn.leader == key), None)

    def _promote_one(self, now: float) -> None:
        """The first of those that fell due is ready. Not all at once: what is new would be behind them."""
        while (due := self.next_due()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._delayed[key]
            self.wake(key, due)
            if key in self._ready:
                return


class Closed(Exception):
    """The queue gives out no more keys."""


class Queue(Generic[K]):
    """A schedule on a clock, for workers of one event loop.

    In each turn of the loop one key is given out: a pass that waits for nothing takes a millisecond or two, and a
    thousand of them in a row would let answers, watches and probes wait for as many.
    """

    def __init__(self, clock: Callable[[], float], leader: Leader[K] = alone) -> None:
        self._clock = clock
        self._schedule: Schedule[K] = Schedule(leader)
        self._idle: deque[asyncio.Future[None]] = deque()
        """Of workers that wait, the first to be called first."""

        self._alarm: tuple[float, asyncio.TimerHandle] | None = None
        """When the next delayed key is due, or earlier, and what calls a worker then."""

        self._moved_at = clock()
        self._gave = False
        """A key was given out in this turn of the loop."""

        self._closed = False

    def wake(self, key: K) -> None:
        """Pass over this key soon."""
        if not self._schedule.depth:
            self._moved_at = self._clock()  # nothing waited: nothing stood still
        self._schedule.wake(key, self._clock())
        self._call_one()

    def wake_after(self, key: K, delay: float) -> None:
        """Pass over this key in so many seconds, unless it is woken before."""
        self._schedule.wake_at(key, self._clock() + delay)
        if self._idle:
            self._set_alarm()

    def close(self) -> None:
        """Give out no more keys: `take` raises Closed."""
        self._closed = True
        if self._alarm is not None:
            self._alarm[1].cancel()
        while self._idle:
            self._call_one()

    async def take(self) -> K:
        """The next key, when there is one; `done` must follow. Raises Closed."""
        while True:
            if self._closed:
                raise Closed
            now = self._clock()
            key = None if self._gave else self._schedule.take(now)
            if key is not None:
                self._moved_at, self._gave = now, True
                asyncio.get_running_loop().call_soon(self._next_turn)
                return key
            await self._wait()

    def done(self, key: K) -> None:
        """The pass over this key ended."""
        self._moved_at = self._clock()
        self._schedule.done(key)
        self._call_one()

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return self._schedule.depth + self._schedule.overdue(self._clock())

    @property
    def running(self) -> int:
        """Passes under way."""
        return self._schedule.running

    @property
    def head_age(self) -> float:
        """Seconds that the head of the queue has been waiting; 0 when nothing waits."""
        heads = [since for since in (self._schedule.oldest(), self._schedule.next_due()) if since is not None]
        return max(0.0, self._clock() - min(heads)) if heads else 0.0

    @property
    def standstill(self) -> float:
        """Seconds in which no pass has begun or ended although keys wait; 0 when none does."""
        began = self._moved_at
        if not self._schedule.depth:
            due = self._schedule.next_due()
            began = float("inf") if due is None else max(began, due)
        return max(0.0, self._clock() - began)

    def _next_turn(self) -> None:
        """There may be more keys."""
        self._gave = False
        self._call_one()

    def _call_one(self) -> None:
        """One worker that waits looks again, in the next turn where a key was given out in this one."""
        while self._idle and (self._closed or not self._gave):
            idle = self._idle.popleft()
            if not idle.done():
                idle.set_result(None)
                return

    async def _wait(self) -> None:
        """Until called."""
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(called)
        self._set_alarm()
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._call_one()  # the call was for somebody who works
            raise

    def _set_alarm(self) -> None:
        """One for all who wait; one that is early does no harm."""
        due = self._schedule.next_due()
        if due is None or (self._alarm is not None and self._alarm[0] <= due):
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        delay = max(0.0, due - self._clock())
        self._alarm = due, asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._call_one()
