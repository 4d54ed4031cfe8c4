"""HTTP/1.1 from the answering side: one connection, held to limits and to the letter of RFC 9112.

What could be read in two ways is refused, and ends the connection. Requests sent in a row without waiting are
answered one after the other; while one is answered, little more is read. Nothing is awaited: a handler answers by a
call, now or later.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import Final, Protocol, cast

from modelyard.http1.exchange import FAILED, Exchange
from modelyard.http1.heads import request_head
from modelyard.http1.reading import FULL, SLICE
from modelyard.http1.row import RequestRow
from modelyard.http1.writing import NEVER, Writing

logger = logging.getLogger(__name__)

_IDLE: Final = "a request"
"""What is waited for between requests."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Host(Writing, Protocol):
    """What connections share."""

    draining: bool

    def opened(self, connection: ServerConnection) -> bool:
        """Take note of a connection; False: there is no room for it."""

    def closed(self, connection: ServerConnection) -> None:
        """Forget a connection."""


class ServerConnection(RequestRow):
    """One connection of a client."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._waits_for: object = None
        self._half = False
        """The client has ended its side."""

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
        self._stall()
        self._arm()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._flow()
        self._waits_for = None
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

    def _expire(self) -> None:
        self.deadline = NEVER
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
        return self.deadline if idle and not self._transport.get_write_buffer_size() else NEVER

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
                self._follow()
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
        self.deadline = NEVER
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

    def _send(self, exchange: Exchange) -> None:
        if exchange.held:
            self._let_go(exchange)
        last = not (exchange.keep and exchange.complete) or self._host.draining or monotonic() > self._retires
        self._turn = self._waits_for = None
        if exchange.started:
            self._host.under_way -= 1
        self._write_answer(exchange, last=last)
        if last:
            self._end(exchange.complete)

    def _end(self, all_read: bool) -> None:
        """Close. What a client still sends is read and thrown away, or it would not see the answer."""
        more = bool(self._raw) or self._paused or not all_read
        self._deaf = self._ended = True
        self._raw.clear()
        self._drop_later()
        self._keep_ahead(0)
        unsent = self._transport.get_write_buffer_size()
        patience = self._limits.write_seconds if unsent else self._limits.linger_seconds
        self.deadline = NEVER if self.stalled else monotonic() + patience
        if self._half or not more:
            self._transport.close()
        else:
            self._transport.write_eof()
            self._pace()

    def _close(self) -> None:
        """Close as soon as all is written, for which a client has no longer than for any answer."""
        self._host.outbox.flush()
        self._deaf = self._ended = True
        self.deadline = NEVER if self.stalled else monotonic() + self._limits.write_seconds
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
                self.deadline = NEVER
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
