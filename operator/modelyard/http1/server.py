"""HTTP/1.1 from the answering side: one connection, held to limits and to the letter of RFC 9112.

What could be read in two ways is refused, and ends the connection. Requests sent in a row without waiting are
answered one after the other; while one is answered, little more is read. Nothing is awaited: a handler answers by a
call, now or later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from time import monotonic
from typing import Final, Protocol, cast

from modelyard.http1.exchange import FAILED, Exchange
from modelyard.http1.heads import request_head
from modelyard.http1.outbox import Outbox
from modelyard.http1.reading import FULL, RATE, SLICE, RequestReader, Shared
from modelyard.http1.unread import unread

logger = logging.getLogger(__name__)

_ONE_PIECE: Final = 64 * 1024
"""Up to this size an answer is sent as one piece."""

_PIECES: Final = 64
"""Of what came and is not parsed: each takes more than its bytes."""

_EXCHANGE: Final = 512
_HEADER: Final = 128
"""Bytes that a request takes that is parsed, and each of its headers: many times what was sent of them."""

_NEVER: Final = float("inf")
_IDLE: Final = "a request"
"""What is waited for between requests."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES: Final = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


class Host(Shared, Protocol):
    """What connections share."""

    draining: bool
    date: bytes
    outbox: Outbox
    under_way: int
    """Requests that handlers were given, and whose answers are not sent."""

    def opened(self, connection: ServerConnection) -> bool:
        """Take note of a connection; False: there is no room for it."""

    def closed(self, connection: ServerConnection) -> None:
        """Forget a connection."""


class ServerConnection(RequestReader):
    """One connection of a client."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._turn: Exchange | None = None
        """Whose answer is the next to be sent."""

        self._later: deque[Exchange] = deque()
        self._queued = 0
        """Bytes that these take."""

        self._waits_for: object = None
        self._retires = monotonic() + host.limits.age_seconds
        self.stalled = False
        """Answers lie unread: no more are given."""

        self.stalled_at = 0.0
        """Since when, by time.monotonic."""

        self.write_deadline = _NEVER
        """When the client must have read some of them."""

        self._unread = 0
        """Bytes of them, no less than there were when the deadline was set."""

        self.unsent = 0
        """Those that the transport keeps, when they were last counted; they count as held."""

        self._ahead = 0
        """Bytes of requests sent in a row that wait for their turn, parsed or not; they count as held, too."""

        self._ended = self._half = self._paused = self._advancing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=SLICE)
        if self._host.opened(self):
            self._arm()
        else:
            self._deaf = self._ended = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._deaf:
            return
        if self._turn is None and not self._raw and not self.stalled and len(data) <= SLICE:
            self._at_once(data)
        else:
            self._raw.append(data)
            self._advance()

    def _at_once(self, data: bytes) -> None:
        """As `_advance` would, in fewer steps: most requests come alone and in one piece."""
        self._advancing = True
        begins, known = self._parsing is None, self._known
        if begins and known is not None and len(data) == known.whole and data.startswith(known.data):
            self._take(known, data)
            begins = False
        else:
            self._feed(data)
        turn = self._turn
        if turn is not None and turn.complete and not turn.answered:
            if begins:
                self._known = request_head(data, turn)
            self._start(turn)
        self._advancing = False
        if turn is None or not turn.started or turn.answered or self._raw or self._later:
            self._advance()

    def eof_received(self) -> bool:
        """See asyncio.Protocol. A client that waits for the last answer it asked for, and ends, is taken to be gone:
        one that only ends its side looks the same. Answers before the last one are still given."""
        self._half = True
        turn = self._turn
        if (
            turn is not None
            and turn.started
            and not (self._later or self._parsing or self._limits.half_closed)
            and not b"".join(self._raw).strip(b"\r\n")
        ):
            self._give_up(turn)
        elif not self._ended:
            self._arm()
        return not self._ended

    def _give_up(self, turn: Exchange) -> None:
        """Nobody waits for the answer that is under way; what was answered before is still sent."""
        self._let_go(turn)
        self._turn = None
        self._abandon(turn)
        self._close()

    def _abandon(self, turn: Exchange) -> None:
        self._host.under_way -= 1
        if not turn.answered:
            turn.answered = True
            self._handler.gone(turn)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.stalled = True
        self.weigh()
        self._unread = unread(self._transport)
        self.stalled_at = monotonic()
        self.write_deadline = self.stalled_at + self._limits.write_seconds
        self._arm()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.stalled, self._waits_for, self.write_deadline = False, None, _NEVER
        self._hold(0)
        if self._ended:
            self.deadline = monotonic() + self._limits.write_seconds
        else:
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self._hold(0)
        self._keep_ahead(0)
        self._host.closed(self)
        self._ended = True
        turn, self._turn, self._waits_for = self._turn, None, None
        self._drop_later()
        if turn is None:
            return
        self._let_go(turn)
        if turn.started:
            self._abandon(turn)

    def finish(self, exchange: Exchange) -> None:
        """See Carrier."""
        if exchange is not self._turn or self._advancing:
            return
        self._send(exchange)
        if self._raw or self._later or self._parsing or self._half or self.stalled or self._ended:
            self._advance()
        else:
            self._waits_for = _IDLE
            self.deadline = monotonic() + self._limits.idle_seconds

    def expire(self) -> None:
        """A deadline has passed: do what that means at this moment."""
        now = monotonic()
        if self.write_deadline <= now:
            self._expire_unread(now)
        if self.deadline <= now:
            self._expire()

    def _expire_unread(self, now: float) -> None:
        """Cut off who does not read, or too slowly; who has read enough meanwhile gets the same time for the next."""
        left = unread(self._transport)
        self.weigh()
        if left + RATE * self._limits.write_seconds > self._unread:
            self._transport.abort()
        self._unread = left
        self.write_deadline = now + self._limits.write_seconds

    def _expire(self) -> None:
        self.deadline = _NEVER
        if self._ended:
            self._transport.abort()
        elif self._turn is not None and self._turn.started:
            self._handler.expired(self._turn)
        elif self._parsing is not None:
            self._came_too_slowly(self._parsing)
        else:
            self._close()

    def _came_too_slowly(self, exchange: Exchange) -> None:
        what = "body" if exchange.headed else "headers"
        self._refuse(exchange, 408, f"the {what} of the request did not come in time")

    def kept_for(self, unread_since: float, silent_since: int) -> int:
        """Bytes that would be free if a client gave way who has left answers unread since this time, or sent too little
        since this look; 0: it has not."""
        if self._ended:
            return 0
        if self.stalled and self.stalled_at < unread_since:
            self.weigh()
            return self.unsent
        parsing = self._parsing
        return parsing.held if parsing is not None and self.came_at < silent_since else 0

    def give_way(self) -> None:
        """Free them."""
        parsing = self._parsing
        if self.stalled or parsing is None:
            self.cut()
        else:
            self._let_go(parsing)
            self._came_too_slowly(parsing)

    @property
    def idle_until(self) -> float:
        """When it closes unless something comes: the sooner, the longer it has been idle. Never, where it is not, or
        would not close at once."""
        idle = self._turn is None and self._parsing is None and not (self._raw or self.stalled or self._ended)
        return self.deadline if idle and not self._transport.get_write_buffer_size() else _NEVER

    def retire(self) -> None:
        """Close if nothing is under way; otherwise the next answer is the last one."""
        self._retires = 0.0
        if self._turn is None and self._parsing is None and not self._raw:
            self._close()

    def cut(self) -> None:
        """Close at once; what lies unread is held no longer."""
        self._transport.abort()
        self._deaf = self._ended = True
        self._hold(0)
        self._raw.clear()
        self._drop_later()
        self._keep_ahead(0)
        if self._parsing is not None:
            self._let_go(self._parsing)

    def weigh(self) -> None:
        """Count anew what lies unread."""
        self._hold(self._transport.get_write_buffer_size())

    def _advance(self) -> None:
        """Do all that can be done now."""
        if not self._advancing:
            self._advancing = True
            while self._step():
                pass
            self._advancing = False
            self._arm()

    def _step(self) -> bool:
        """Do one thing; False: there is nothing to do until something comes."""
        turn = self._turn
        if turn is None:
            if self.stalled or self._ended:
                return False
            if self._later:
                self._turn = following = self._later.popleft()
                self._queued -= _taken_by(following)
                return True
            return self._parse()
        if turn.answered:
            self._send(turn)
            return True
        if not turn.complete:
            self._let_continue(turn)
            return self._parse()
        if turn.started:
            return False
        self._start(turn)
        return True

    def _start(self, exchange: Exchange) -> None:
        exchange.started = True
        self._host.under_way += 1
        exchange.began = monotonic()
        self.deadline = _NEVER
        host = self._host
        if host.held > self._limits.held_bytes and exchange.body and not host.relieve():
            self._handler.refuse(exchange, 503, FULL)
            return
        try:
            self._handler.complete(exchange)
        except Exception:
            logger.exception("A request could not be answered", extra=exchange.described)
            self._handler.refuse(exchange, 500, FAILED)

    def _let_continue(self, exchange: Exchange) -> None:
        if exchange.expects:
            exchange.expects = False
            if not exchange.size and not self._raw:
                self._host.outbox.flush()
                self._transport.write(_CONTINUE)

    def _enqueue(self, exchange: Exchange) -> None:
        if exchange.headed:
            return
        exchange.headed = True
        if self._turn is None and not self._later:
            self._turn = exchange
        else:
            self._later.append(exchange)
            self._queued += _taken_by(exchange)

    def _drop_later(self) -> None:
        """What has not had its turn gets none."""
        self._queued = 0
        while self._later:
            self._let_go(self._later.pop())

    def _send(self, exchange: Exchange) -> None:
        if exchange.held:
            self._let_go(exchange)
        last = not (exchange.keep and exchange.complete) or self._host.draining or monotonic() > self._retires
        content = exchange.content
        head = b"%b%b%bContent-Length: %d\r\n%b\r\n" % (
            _STATUS_LINES[exchange.status],
            self._host.date,
            exchange.reply_headers,
            len(content),
            b"Connection: close\r\n" if last else b"Connection: keep-alive\r\n" if exchange.old else b"",
        )
        self._turn = self._waits_for = None
        if exchange.started:
            self._host.under_way -= 1
        self._write(head, b"" if exchange.method == b"HEAD" else content, last)
        if last:
            self._end(exchange.complete)

    def _write(self, head: bytes, content: bytes, last: bool) -> None:
        """Write, at the end of this turn if other answers may come in it."""
        if self.stalled:
            self._unread += len(head) + len(content)
            self._hold(self.unsent + len(head) + len(content))
        outbox, small = self._host.outbox, len(content) <= _ONE_PIECE
        if small and self._host.under_way and not last:
            outbox.post(self._transport, head + content)
            return
        outbox.flush()
        if small:
            self._transport.write(head + content)
        else:
            self._transport.writelines((head, content))

    def _hold(self, unsent: int) -> None:
        self._host.held += unsent - self.unsent
        self.unsent = unsent

    def _end(self, all_read: bool) -> None:
        """Close. What a client still sends is read and thrown away, or it would not see the answer."""
        more = bool(self._raw) or self._paused or not all_read
        self._deaf = self._ended = True
        self._raw.clear()
        self._drop_later()
        self._keep_ahead(0)
        unsent = self._transport.get_write_buffer_size()
        patience = self._limits.write_seconds if unsent else self._limits.linger_seconds
        self.deadline = _NEVER if self.stalled else monotonic() + patience
        if self._half or not more:
            self._transport.close()
        else:
            self._transport.write_eof()
            self._pace()

    def _close(self) -> None:
        """Close as soon as all is written, for which a client has no longer than for any answer."""
        self._host.outbox.flush()
        self._deaf = self._ended = True
        self.deadline = _NEVER if self.stalled else monotonic() + self._limits.write_seconds
        self._transport.close()

    def _arm(self) -> None:
        """Set the deadline for what is waited for now, unless it was waited for before; read no more than needed."""
        turn, parsing = self._turn, self._parsing
        under_way = turn is not None and turn.started
        if not self._ended:
            self._pace()
        if self._ended:
            return
        if self.stalled:
            if not under_way:
                self.deadline = _NEVER
            return
        if under_way:
            self._waits_for = turn
            return
        if self._half:
            self._close()
            return
        waits_for = (parsing, parsing.headed) if parsing is not None else _IDLE
        if waits_for != self._waits_for:
            self._waits_for = waits_for
            self.deadline = monotonic() + self._patience(parsing)

    def _patience(self, parsing: Exchange | None) -> float:
        if parsing is None:
            return self._limits.idle_seconds
        return self._limits.body_seconds if parsing.headed else self._limits.head_seconds

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
        host, before = self._host, self._ahead
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
            self._host.outbox.flush()
            self._end(all_read=False)


def _taken_by(exchange: Exchange) -> int:
    return _EXCHANGE + _HEADER * len(exchange.headers)
