"""Answers of one connection: written together where that helps, and held while its client leaves them unread."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from time import monotonic
from typing import Final, Protocol, cast

from modelyard.http1.exchange import Exchange
from modelyard.http1.outbox import Outbox
from modelyard.http1.reading import RATE, RequestReader, Shared
from modelyard.http1.unread import unread

NEVER: Final = float("inf")

_ONE_PIECE: Final = 64 * 1024
"""Up to this size an answer is sent as one piece."""

_STATUS_LINES: Final = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


class Writing(Shared, Protocol):
    """What writers share."""

    date: bytes
    outbox: Outbox
    under_way: int
    """Requests that handlers were given, and whose answers are not sent."""


class AnswerWriter(RequestReader):
    """The writing half of a connection."""

    def __init__(self, writing: Writing) -> None:
        super().__init__(writing)
        self._writing = writing
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.stalled = False
        """Answers lie unread: no more are given."""

        self.stalled_at = 0.0
        """Since when, by time.monotonic."""

        self.write_deadline = NEVER
        """When the client must have read some of them."""

        self._unread = 0
        """Bytes of them, no less than there were when the deadline was set."""

        self.unsent = 0
        """Those that the transport keeps, when they were last counted; they count as held."""

    def weigh(self) -> None:
        """Count anew what lies unread."""
        self._hold(self._transport.get_write_buffer_size())

    def _hold(self, unsent: int) -> None:
        self._writing.held += unsent - self.unsent
        self.unsent = unsent

    def _stall(self) -> None:
        """From now on answers lie unread."""
        self.stalled = True
        self.weigh()
        self._unread = unread(self._transport)
        self.stalled_at = monotonic()
        self.write_deadline = self.stalled_at + self._limits.write_seconds

    def _flow(self) -> None:
        """They are read."""
        self.stalled, self.write_deadline = False, NEVER
        self._hold(0)

    def _expire_unread(self, now: float) -> None:
        """Cut off who does not read, or too slowly; who has read enough meanwhile gets the same time for the next."""
        left = unread(self._transport)
        self.weigh()
        if left + RATE * self._limits.write_seconds > self._unread:
            self._transport.abort()
        self._unread = left
        self.write_deadline = now + self._limits.write_seconds

    def _write_answer(self, exchange: Exchange, *, last: bool) -> None:
        """Write, at the end of this turn if other answers may come in it."""
        content = exchange.content
        head = b"%b%b%bContent-Length: %d\r\n%b\r\n" % (
            _STATUS_LINES[exchange.status],
            self._writing.date,
            exchange.reply_headers,
            len(content),
            b"Connection: close\r\n" if last else b"Connection: keep-alive\r\n" if exchange.old else b"",
        )
        if exchange.method == b"HEAD":
            content = b""
        if self.stalled:
            self._unread += len(head) + len(content)
            self._hold(self.unsent + len(head) + len(content))
        outbox, small = self._writing.outbox, len(content) <= _ONE_PIECE
        if small and self._writing.under_way and not last:
            outbox.post(self._transport, head + content)
            return
        outbox.flush()
        if small:
            self._transport.write(head + content)
        else:
            self._transport.writelines((head, content))
