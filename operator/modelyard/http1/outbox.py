"""Writes that wait for the end of the event loop's turn.

A write to a process that sleeps has to wake it, which costs more than the write itself. In one turn a busy loop reads
from many connections; if it then writes to all of them in a row, the other side is woken once for all.
"""

from __future__ import annotations

import asyncio
from typing import Final

FULL: Final = 64 * 1024
"""Bytes beyond which nothing waits: a transport says that it has too much only of what was written to it."""


class Outbox:
    """What is to be written, in order. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self._bytes = 0
        self.flushes = 0
        """How often all was written: what was posted at this count waits until it is another."""

    def post(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write at the end of this turn, or now if much waits already. What is closed by then gets nothing."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((transport, data))
        self._bytes += len(data)
        if self._bytes > FULL:
            self.flush()

    def flush(self) -> None:
        """Write all that waits now: to be called before anything else is done to a transport that may be among it."""
        if self._waiting:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            self.flushes += 1
            for transport, data in waiting:
                if not transport.is_closing():
                    transport.write(data)
