"""HTTP/1.1 from the asking side: connections that carry one request at a time, and a pool of them.

The bytes of a request are made by who asks; an answer arrives by callbacks, so that nothing is copied or awaited
that need not be. RFC 9112 says what ends an answer: its length, its last chunk, or the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

import httptools

from modelyard.http1.broken import BrokenAnswer
from modelyard.http1.heads import Headers

CONNECT_TIMEOUT = 5.0
"""Seconds in which a server has to take a connection, TLS included."""

IDLE_SECONDS = 15.0
"""A connection unused for longer may have been closed by something in between, and is not used again."""


HEAD_BYTES: Final = 64 * 1024
"""What may come of an answer without any of its body: headers, answers before it, and what follows its last chunk."""


class Receiver(Protocol):
    """Who asked. `on_end` or `on_lost` is called once, and nothing after it."""

    def on_head(self, status: int, headers: Headers) -> None:
        """The status and the headers have come."""
        ...

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body has come."""
        ...

    def on_end(self) -> None:
        """The answer is complete."""
        ...

    def on_lost(self, error: Exception, begun: bool) -> None:
        """There will be no whole answer; `begun`: some of it had come, so the request was certainly read."""
        ...


class Connection:
    """One connection. Not in use: `free`; `on_free` is called whenever it becomes so.

    An asyncio.Protocol in all but name: a class of Python's own as a base would make it slower where it is compiled,
    and what mypyc makes of a class that can be weakly referenced ends the process when such a reference outlives it.
    """

    def __init__(
        self,
        on_free: Callable[[Connection], None] | None = None,
        on_closed: Callable[[Connection], None] | None = None,
    ) -> None:
        self.used = 0
        """Requests that were sent."""

        self.free_since = 0.0
        self._on_free, self._on_closed = on_free, on_closed
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._paused = self._ending = False
        self._fresh()

    def _fresh(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._status = 0
        self._measured = False
        self._bare = 0
        """Bytes that have come since the answer before, or since a piece of this one's body."""

    @property
    def free(self) -> bool:
        """Open, and without a request under way."""
        if self._transport is None or self._receiver is not None or self._ending:
            return False
        return not self._transport.is_closing()

    def send(self, data: bytes | Sequence[bytes], receiver: Receiver) -> None:
        """Ask. Only while `free`."""
        assert self._transport is not None
        assert self._receiver is None
        self._receiver = receiver
        self.used += 1
        if isinstance(data, bytes):
            self._transport.write(data)
        else:
            self._transport.writelines(data)

    def abort(self) -> None:
        """Close at once; who waits for an answer is not told."""
        self._receiver = None
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing more until `resume`, or until the answer has ended."""
        if self._transport is not None and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Take what comes again."""
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def pause_writing(self) -> None:
        """See asyncio.Protocol. What is written here is small, or all that there is."""

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""

    def eof_received(self) -> bool | None:
        """See asyncio.Protocol. The server closes: nothing more can be asked."""
        self._ending = True
        return None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. An answer without a length ends here."""
        receiver, self._receiver, self._transport = self._receiver, None, None
        if receiver is not None:
            if exc is None and self._status and not self._measured:
                receiver.on_end()
            else:
                receiver.on_lost(exc or BrokenAnswer("the server closed the connection"), bool(self._status))
        if self._on_closed is not None:
            self._on_closed(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._receiver is None:
            self.abort()  # nothing was asked: what would be read as the next answer is none
            return
        self._bare += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._break(BrokenAnswer(str(error)))
        except httptools.HttpParserUpgrade:
            self._break(BrokenAnswer("the server wants another protocol"))
        if self._bare > HEAD_BYTES:
            self._break(_too_large())

    def on_message_begin(self) -> None:
        """See httptools. An answer right behind another is one that nobody asked for."""
        if self._receiver is None:
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        name = name.lower()
        self._headers.append((name, value))
        if name in _MEASURES:
            self._measured = True

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._status = self._parser.get_status_code()
        if self._status in _BODILESS:
            self._measured = True
        if self._bare > HEAD_BYTES and _size(self._headers) > HEAD_BYTES:
            self._break(_too_large())
        if self._status >= 200 and self._receiver is not None:
            self._receiver.on_head(self._status, self._headers)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self._bare = 0
        if self._receiver is not None:
            self._receiver.on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        status, receiver, bare = self._status, self._receiver, self._bare
        self._fresh()
        if status < 200 or receiver is None:
            self._bare = bare
            return
        self._receiver = None
        if not (self._goes_on(status) and self._parser.should_keep_alive()):
            self._finish()
        receiver.on_end()
        self.resume()
        if self.free:
            self.free_since = self._loop.time()
            if self._on_free is not None:
                self._on_free(self)

    def _goes_on(self, status: int) -> bool:
        """Whether another request may follow one that was answered so, as far as we are concerned."""
        return self._transport is None or not self._transport.get_write_buffer_size()

    def _finish(self) -> None:
        """Close after an answer. What of the request is not written yet is needed no longer."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def _break(self, error: Exception) -> None:
        receiver, begun = self._receiver, bool(self._status)
        self.abort()
        if receiver is not None:
            receiver.on_lost(error, begun)


_MEASURES: Final = frozenset((b"content-length", b"transfer-encoding"))
_BODILESS: Final = frozenset((204, 304))


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers)


def _too_large() -> BrokenAnswer:
    return BrokenAnswer(f"what is not body of the answer is larger than {HEAD_BYTES} bytes")


class Pool:
    """Connections to one server: the one used last is used first, so that those not needed grow old."""

    def __init__(self, host: str, port: int, trust: ssl.SSLContext | None) -> None:
        self._host, self._port, self._trust = host, port, trust
        self._free: list[Connection] = []
        self._all: set[Connection] = set()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    async def take(self) -> Connection:
        """A connection of one's own until its answer has ended.

        Raises OSError (ssl.SSLError among them) and TimeoutError when the server takes none.
        """
        oldest = self._loop.time() - IDLE_SECONDS
        while self._free and self._free[0].free_since <= oldest:
            self._free.pop(0).abort()
        while self._free:
            connection = self._free.pop()
            if connection.free:
                return connection
            connection.abort()
        return await self.fresh()

    async def fresh(self) -> Connection:
        """A connection that carried nothing yet. Raises like `take`."""
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, protocol = await self._loop.create_connection(
                self._made,
                self._host,
                self._port,
                ssl=self._trust,
                server_hostname=self._host if self._trust else None,
            )
        connection = cast(Connection, protocol)
        if self._closed:
            connection.abort()
            raise ConnectionAbortedError("the pool is closed")
        self._all.add(connection)
        return connection

    def _made(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, Connection(self._free.append, self._lost))

    def _lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)

    def close(self) -> None:
        """Close all connections; who waits for an answer on one of them is told nothing."""
        self._closed = True
        for connection in list(self._all):
            connection.abort()
        self._free.clear()
