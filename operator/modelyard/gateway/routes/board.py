"""The table as it is now, and who is told when it becomes another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from modelyard.gateway.route import Table

Subscriber = Callable[[Table, Table], None]
"""Called with (old, new) right after the table was changed; a Model that did not change is the same object."""


class Routes(Protocol):
    """What the engine needs of them, wherever they come from."""

    @property
    def table(self) -> Table:
        """All routes as far as known; swapped whole, never changed in place."""

    @property
    def synced(self) -> asyncio.Event:
        """Set as soon as the table was complete once."""

    @property
    def unreadable(self) -> int:
        """Models of which not all routes can be read, or whose table cannot."""

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call this after each change from now on."""

    async def run(self) -> None:
        """Keep the table true; never returns."""


class Board:
    """Holds the table. What keeps it true publishes the next one."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.synced = asyncio.Event()
        self.unreadable = 0
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call this after each change from now on."""
        self._subscribers.append(subscriber)

    def publish(self, table: Table) -> None:
        """From now on this is the table."""
        old, self.table = self.table, table
        self.synced.set()
        for subscriber in self._subscribers:
            subscriber(old, table)
