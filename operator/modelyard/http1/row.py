"""Requests that one client sent in a row: each has its turn, and what waits for that is bounded."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from time import monotonic
from typing import Final

from modelyard.http1.exchange import Exchange
from modelyard.http1.reading import SLICE
from modelyard.http1.writing import AnswerWriter, Writing

_PIECES: Final = 64
"""Of what came and is not parsed: each takes more than its bytes."""

_EXCHANGE: Final = 512
_HEADER: Final = 128
"""Bytes that a request takes that is parsed, and each of its headers: many times what was sent of them."""


class RequestRow(AnswerWriter):
    """The requests of a connection that are not answered."""

    def __init__(self, writing: Writing) -> None:
        super().__init__(writing)
        self._turn: Exchange | None = None
        """Whose answer is the next to be sent."""

        self._later: deque[Exchange] = deque()
        self._queued = 0
        """Bytes that these take."""

        self._ahead = 0
        """Bytes of requests sent in a row that wait for their turn, parsed or not; they count as held, too."""

        self._retires = monotonic() + writing.limits.age_seconds
        """When the next answer is the last one."""

        self._ended = self._paused = self._advancing = False

    @abstractmethod
    def _end(self, all_read: bool) -> None:
        """Close as soon as all is written."""

    def _enqueue(self, exchange: Exchange) -> None:
        if exchange.headed:
            return
        exchange.headed = True
        if self._turn is None and not self._later:
            self._turn = exchange
        else:
            self._later.append(exchange)
            self._queued += _taken_by(exchange)

    def _follow(self) -> None:
        """The next one has its turn."""
        self._turn = following = self._later.popleft()
        self._queued -= _taken_by(following)

    def _drop_later(self) -> None:
        """What has not had its turn gets none."""
        self._queued = 0
        while self._later:
            self._let_go(self._later.pop())

    def _pace(self) -> None:
        """Let the client wait while much of what it sent before lies unread; little does not hide that it goes. Count
        all of it, parsed or not, as soon as there is nothing more to do for it now."""
        raw = self._raw
        size = sum(map(len, raw)) if raw else 0
        much = size > SLICE or len(raw) > _PIECES
        if much != self._paused and (much or not self._deaf or self._ended):
            self._paused = much
            if much:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
        if not (self._advancing or self._ended):
            size += self._queued
            ahead = size if much or size > SLICE else 0
            if ahead != self._ahead:
                self._keep_ahead(ahead)

    def _keep_ahead(self, size: int) -> None:
        host, before = self._writing, self._ahead
        host.held += size - before
        self._ahead = size
        if size > before and host.held > self._limits.held_bytes and not host.relieve() and not self._ended:
            self._forgo()

    def _forgo(self) -> None:
        """There is no room for what was sent ahead: what is under way gets the last answer."""
        self._deaf, self._retires = True, 0.0
        self._raw.clear()
        self._drop_later()
        self._keep_ahead(0)
        if self._turn is None:
            self._writing.outbox.flush()
            self._end(all_read=False)


def _taken_by(exchange: Exchange) -> int:
    return _EXCHANGE + _HEADER * len(exchange.headers)
