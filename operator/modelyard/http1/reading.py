"""Bytes of a client as requests, held to limits; what comes of them is for `ServerConnection` to say."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque
from typing import Final, Protocol, cast

import httptools

from modelyard.http1.exchange import FAILED, Exchange, Handler, Limits
from modelyard.http1.heads import RequestHead
from modelyard.http1.strictness import fault_of

logger = logging.getLogger(__name__)

SLICE: Final = 16 * 1024
"""Bytes that are parsed at once, which bounds how many requests in a row are taken before the first is answered."""

RATE: Final = SLICE
"""Bytes a second at which answers must be read, and bodies come where others need their room."""

A_WHILE: Final = 0.1
"""Share of the time for a body, or for reading, after which one that goes on is preferred to one that does not."""

HEADERS: Final = 100
"""A request may have: each takes several times its bytes."""

SMALL: Final = 512
"""Smaller pieces of a body are kept as one: each by itself would take several times its bytes."""

FULL: Final = "the gateway holds as much of requests and of answers as it may"


class Shared(Protocol):
    """What readers share."""

    handler: Handler
    limits: Limits
    held: int
    """Bytes of bodies that are kept, and of answers that wait for their clients to read."""

    looks: int
    """How often deadlines were looked at. What a client did not do is counted by these, for no time passes for it while
    we are busy and look at nobody."""

    def relieve(self) -> bool:
        """Make room, where too much is held; False: it stays too much."""


class RequestReader:
    """The reading half of a connection: an asyncio.Protocol in all but name, as `client.Connection` is."""

    def __init__(self, shared: Shared) -> None:
        self.deadline = float("inf")
        """When `expire` is to be called, by time.monotonic."""

        self._shared, self._handler, self._limits = shared, shared.handler, shared.limits
        self._parser = httptools.HttpRequestParser(self)
        self._raw: deque[bytes | memoryview] = deque()
        """What has come and is not parsed."""

        self._parsing: Exchange | None = None
        """What is being parsed; from the end of its headers it is in the queue for answers, too."""

        self._known: RequestHead | None = None
        """A head of this connection that need not be parsed again."""

        self._head_bytes = 0
        """An upper bound of those that belong to the headers being parsed; in a body, of those that came since its
        last piece: chunk extensions and trailers."""

        self._deaf = False
        """Nothing more is taken in."""

        self.came_at = 0
        """At which look enough of the body had come; as long as bytes of it count as held."""

        self._enough = 0
        """How much of it has to come next."""

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. What holds the reader, and is held by it, would keep both for a while."""
        self._deaf = True
        self._parser = cast(httptools.HttpRequestParser, None)
        if self._parsing is not None:
            self._let_go(self._parsing)
            self._parsing = None
        self._raw.clear()

    @abstractmethod
    def finish(self, exchange: Exchange) -> None:
        """See Carrier."""

    @abstractmethod
    def _enqueue(self, exchange: Exchange) -> None:
        """Its headers are known, or it will be refused: it has its place among those to be answered."""

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
            if len(headers) > HEADERS:
                self._refuse(exchange, 431, f"there are more than {HEADERS} headers")

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
        self._head_bytes = 0
        exchange = self._parsing
        if exchange is None or exchange.answered:
            return
        exchange.size += len(body)
        if exchange.size > self._limits.body_bytes:
            self._refuse(exchange, 413, f"the body is larger than {self._limits.body_bytes} bytes")
        elif not exchange.discard:
            pieces = exchange.pieces
            if pieces is None:
                exchange.pieces = [body]
            elif len(body) >= SMALL:
                pieces.append(body)
            elif type(pieces[-1]) is bytearray:
                pieces[-1] += body
            else:
                pieces.append(bytearray(body))
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
            first = pieces[0]
            exchange.body = first if len(pieces) == 1 and type(first) is bytes else b"".join(pieces)
            exchange.pieces = None
        if not exchange.keep:
            self._deaf = True

    def _take(self, known: RequestHead, data: bytes) -> None:
        """Take a request whose head is known."""
        exchange = Exchange(self)
        self._enqueue(exchange)
        known.tell(exchange)
        try:
            self._handler.head(exchange)
        except Exception:
            logger.exception("A request could not be read", extra=exchange.described)
            self._refuse(exchange, 500, FAILED)
        if not exchange.answered:
            exchange.size, exchange.complete = known.length, True
            if not exchange.discard:
                exchange.body = data[len(known.data) :]

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
            self._broken(500, FAILED)
        except httptools.HttpParserError as error:
            self._broken(400, f"the request is no HTTP/1.1: {error}")
        if self._head_bytes > self._limits.head_bytes + SLICE:
            self._bound_head()

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

    def _bound_head(self) -> None:
        exchange = self._parsing
        if exchange is not None and not exchange.answered:
            what = "what surrounds the body is" if exchange.headed else "the headers are"
            self._refuse(exchange, 431, f"{what} larger than {self._limits.head_bytes} bytes")

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

    def _keep(self, exchange: Exchange) -> None:
        """Count the body as held; refuse it if all that is held is too much."""
        if not exchange.held or exchange.size >= self._enough:
            self.came_at = self._shared.looks
            self._enough = exchange.size + int(RATE * A_WHILE * self._limits.body_seconds)
        self._shared.held += exchange.size - exchange.held
        exchange.held = exchange.size
        if self._shared.held > self._limits.held_bytes and not self._shared.relieve():
            self._refuse(exchange, 503, FULL)

    def _let_go(self, exchange: Exchange) -> None:
        self._shared.held -= exchange.held
        exchange.held = 0
        exchange.pieces = None
