"""HTTP/1.1 from the answering side: one connection, held to limits and to the letter of RFC 9112.

What could be read in two ways is refused, and ends the connection. Requests sent in a row without waiting are
answered one after the other; while one is answered, no more is read than lies there already. Nothing is awaited:
a handler answers by a call, now or later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from time import monotonic
from typing import Final, Protocol, cast

import httptools

from modelyard.http1.exchange import Exchange, Handler, Limits
from modelyard.http1.heads import RequestHead, request_head
from modelyard.http1.outbox import Outbox
from modelyard.http1.strictness import fault_of

logger = logging.getLogger(__name__)

SLICE: Final = 16 * 1024
"""Bytes that are parsed at once, which bounds how many requests in a row are taken before the first is answered."""

_ONE_PIECE: Final = 64 * 1024
"""Up to this size an answer is sent as one piece."""

_NEVER: Final = float("inf")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES: Final = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


class Host(Protocol):
    """What connections share."""

    handler: Handler
    limits: Limits
    draining: bool
    date: bytes
    outbox: Outbox
    under_way: int
    """Requests that handlers were given, and whose answers are not sent."""

    held: int
    """Bytes of bodies that are kept."""

    def opened(self, connection: ServerConnection) -> bool:
        """Take note of a connection; False: there is no room for it."""

    def closed(self, connection: ServerConnection) -> None:
        """Forget a connection."""


class ServerConnection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, host: Host) -> None:
        self.deadline = _NEVER
        """When `expire` is to be called, by time.monotonic."""

        self._host, self._handler, self._limits = host, host.handler, host.limits
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parser = httptools.HttpRequestParser(self)
        self._raw: deque[bytes | memoryview] = deque()
        """What has come and is not parsed."""

        self._parsing: Exchange | None = None
        """What is being parsed; from the end of its headers it is in `_turn` or `_later`, too."""

        self._turn: Exchange | None = None
        """Whose answer is the next to be sent."""

        self._later: deque[Exchange] = deque()
        self._known: RequestHead | None = None
        """A head of this connection that need not be parsed again."""

        self._head_bytes = 0
        """An upper bound of those that belong to the headers being parsed."""

        self._waits_for: object = None
        self._retires = monotonic() + host.limits.age_seconds
        self._deaf = self._ended = self._half = self._paused = self._stalled = self._advancing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        if self._host.opened(self):
            self._arm()
        else:
            self._deaf = self._ended = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._deaf:
            return
        if self._turn is None and not self._raw and not self._stalled and len(data) <= SLICE:
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
        if turn is None or not turn.started or turn.answered or self._raw:
            self._advance()

    def _take(self, known: RequestHead, data: bytes) -> None:
        """Take a request whose head is known."""
        exchange = self._turn = Exchange(self)
        known.tell(exchange)
        try:
            self._handler.head(exchange)
        except Exception:
            logger.exception("A request could not be read")
            self._refuse(exchange, 500, "the gateway failed; its log says why")
        if not exchange.answered:
            exchange.size, exchange.complete = known.length, True
            if not exchange.discard:
                exchange.body = data[len(known.data) :]

    def eof_received(self) -> bool:
        """See asyncio.Protocol. A client that has asked all it wanted still gets its answers."""
        self._half = True
        if not self._ended:
            self._arm()
        return not self._ended

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._stalled = True
        self.deadline = monotonic() + self._limits.write_seconds

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._stalled, self._waits_for = False, None
        if not self._ended:
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._host.closed(self)
        self._deaf = self._ended = True
        turn, self._turn = self._turn, None
        for exchange in (turn, self._parsing, *self._later):
            if exchange is not None:
                self._let_go(exchange)
        if turn is not None and turn.started:
            self._host.under_way -= 1
            if not turn.answered:
                turn.answered = True
                self._handler.gone(turn)

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._parsing is None and not self._deaf:
            self._parsing = Exchange(self)

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        exchange = self._parsing
        if exchange is not None and not exchange.headed:
            exchange.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools. What follows the last chunk of a body is not looked at."""
        exchange = self._parsing
        if exchange is not None and not exchange.headed:
            name, headers = name.lower(), exchange.headers
            headers[name] = value if name not in headers else headers[name] + b", " + value

    def on_headers_complete(self) -> None:
        """See httptools."""
        exchange = self._parsing
        if exchange is None or exchange.headed:
            return
        exchange.method = self._parser.get_method()
        exchange.keep = self._parser.should_keep_alive()
        self._enqueue(exchange)
        fault = fault_of(exchange, self._parser.get_http_version(), self._limits, self._head_bytes)
        if fault is None:
            self._handler.head(exchange)
        else:
            self._refuse(exchange, *fault)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        exchange = self._parsing
        if exchange is None or exchange.answered:
            return
        exchange.size += len(body)
        if exchange.size > self._limits.body_bytes:
            self._refuse(exchange, 413, f"the body is larger than {self._limits.body_bytes} bytes")
        elif not exchange.discard:
            if exchange.pieces is None:
                exchange.pieces = [body]
            else:
                exchange.pieces.append(body)
            if exchange.size > SLICE:
                self._keep(exchange)

    def on_message_complete(self) -> None:
        """See httptools."""
        exchange, self._parsing, self._head_bytes = self._parsing, None, 0
        if exchange is None or exchange.answered:
            return
        if self._parser.should_upgrade() and exchange.has_body:
            self._parsing = (
                exchange  # The parser leaves the body to another protocol; `_stay` goes on with it.
            )
            return
        exchange.complete = True
        if (pieces := exchange.pieces) is not None:
            exchange.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            exchange.pieces = None
        if not exchange.keep:
            self._deaf = True

    def finish(self, exchange: Exchange) -> None:
        """See Carrier."""
        if exchange is not self._turn or self._advancing:
            return
        self._send(exchange)
        if self._raw or self._later or self._parsing or self._half or self._stalled or self._ended:
            self._advance()
        else:
            self.deadline = monotonic() + self._limits.idle_seconds

    def expire(self) -> None:
        """The deadline has passed: do what that means at this moment."""
        self.deadline = _NEVER
        if self._stalled or self._ended:
            self._transport.abort()
        elif self._turn is not None and self._turn.started:
            self._handler.expired(self._turn)
        elif self._parsing is not None:
            what = "body" if self._parsing.headed else "headers"
            self._refuse(self._parsing, 408, f"the {what} of the request did not come in time")
        else:
            self._close()

    def retire(self) -> None:
        """Close if nothing is under way; otherwise the next answer is the last one."""
        self._retires = 0.0
        if self._turn is None and self._parsing is None and not self._raw:
            self._close()

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

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
            if self._stalled or self._ended:
                return False
            if self._later:
                self._turn = self._later.popleft()
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
        try:
            self._handler.complete(exchange)
        except Exception:
            logger.exception("A request could not be answered")
            self._handler.refuse(exchange, 500, "the gateway failed; its log says why")

    def _let_continue(self, exchange: Exchange) -> None:
        if exchange.expects:
            exchange.expects = False
            if not exchange.size and not self._raw:
                self._host.outbox.flush()
                self._transport.write(_CONTINUE)

    def _parse(self) -> bool:
        """Parse a slice of what has come."""
        if self._deaf or not self._raw:
            return False
        self._feed(self._slice())
        return True

    def _feed(self, data: bytes | memoryview) -> None:
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            logger.exception("A request could not be read")
            self._broken(500, "the gateway failed; its log says why")
        except httptools.HttpParserError as error:
            self._broken(400, f"the request is no HTTP/1.1: {error}")
        if self._parsing is not None and not self._parsing.headed:
            self._bound_head(self._parsing)

    def _stay(self, rest: bytes | memoryview) -> None:
        """Stay with HTTP/1.1 where a client would change to another protocol: a new parser reads what follows."""
        self._parser = httptools.HttpRequestParser(self)
        if self._parsing is not None:
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % self._parsing.framing)
        if rest:
            self._raw.appendleft(rest)

    def _slice(self) -> bytes | memoryview:
        """As much as may be parsed at once: of a body all that is there of it."""
        data = self._raw.popleft()
        if len(data) <= SLICE:
            return data
        parsing, length = self._parsing, SLICE
        if parsing is not None and parsing.headed and parsing.length is not None:
            length = max(SLICE, parsing.length - parsing.size)
        view = memoryview(data)
        if rest := view[length:]:
            self._raw.appendleft(rest)
        return view[:length]

    def _bound_head(self, exchange: Exchange) -> None:
        if self._head_bytes > self._limits.head_bytes + SLICE:
            self._refuse(exchange, 431, f"the headers are larger than {self._limits.head_bytes} bytes")

    def _broken(self, status: int, message: str) -> None:
        """What came cannot be parsed; after the last request of a connection that does not matter."""
        if not self._deaf:
            self._refuse(self._parsing or Exchange(self), status, message)

    def _refuse(self, exchange: Exchange, status: int, message: str) -> None:
        """Answer, and read no more of this connection."""
        self._enqueue(exchange)
        self._deaf, exchange.keep = True, False
        self._raw.clear()
        self._handler.refuse(exchange, status, message)

    def _enqueue(self, exchange: Exchange) -> None:
        if exchange.headed:
            return
        exchange.headed = True
        if self._turn is None and not self._later:
            self._turn = exchange
        else:
            self._later.append(exchange)

    def _keep(self, exchange: Exchange) -> None:
        """Count the body as held; refuse it if all that is held is too much."""
        self._host.held += exchange.size - exchange.held
        exchange.held = exchange.size
        if self._host.held > self._limits.held_bytes:
            self._refuse(exchange, 503, "the gateway holds as much of requests as it may")

    def _let_go(self, exchange: Exchange) -> None:
        self._host.held -= exchange.held
        exchange.held = 0
        exchange.pieces = None

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
        self._turn = None
        if exchange.started:
            self._host.under_way -= 1
        self._write(head, b"" if exchange.method == b"HEAD" else content, last)
        if last:
            self._end(exchange.complete)

    def _write(self, head: bytes, content: bytes, last: bool) -> None:
        """Write, at the end of this turn if other answers may come in it."""
        outbox, small = self._host.outbox, len(content) <= _ONE_PIECE
        if small and self._host.under_way and not last:
            outbox.post(self._transport, head + content)
            return
        outbox.flush()
        if small:
            self._transport.write(head + content)
        else:
            self._transport.writelines((head, content))

    def _end(self, all_read: bool) -> None:
        """Close. What a client still sends is read and thrown away, or it would not see the answer."""
        self._deaf = self._ended = True
        self._raw.clear()
        for exchange in self._later:
            self._let_go(exchange)
        self._later.clear()
        seconds = self._limits.write_seconds if self._stalled else self._limits.linger_seconds
        self.deadline = monotonic() + seconds
        if all_read or self._half or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    def _close(self) -> None:
        self._host.outbox.flush()
        self._transport.close()

    def _arm(self) -> None:
        """Set the deadline for what is waited for now, unless it was waited for before; read no more than needed."""
        if self._ended or self._stalled:
            return
        self._pace()
        turn, parsing = self._turn, self._parsing
        if turn is not None and turn.started:
            self._waits_for = turn
            return
        if self._half:
            self._close()
            return
        waits_for = (parsing, parsing.headed) if parsing is not None else None
        if waits_for is None or waits_for != self._waits_for:
            self._waits_for = waits_for
            self.deadline = monotonic() + self._patience(parsing)

    def _patience(self, parsing: Exchange | None) -> float:
        if parsing is None:
            return self._limits.idle_seconds
        return self._limits.body_seconds if parsing.headed else self._limits.head_seconds

    def _pace(self) -> None:
        """Let the client wait while what it sent before lies unread."""
        if bool(self._raw) != self._paused:
            self._paused = not self._paused
            if self._paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
