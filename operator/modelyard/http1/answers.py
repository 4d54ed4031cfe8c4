"""Answers for who can wait: one as a whole, or one that goes on and on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from modelyard.http1.client import Connection
from modelyard.http1.heads import Headers

BACKLOG = 1024 * 1024
"""Bytes of a stream that may lie unread before its server is made to wait."""


class NotAnswered(ConnectionError):
    """The connection ended before a byte of the answer had come: perhaps the request was never read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a whole."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The first value of a header; its name in lower case."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


async def ask(
    connection: Connection, data: bytes | Sequence[bytes], *, seconds: float, limit: int | None = None
) -> Answer:
    """Ask, and wait for the answer; of a body no more than the first `limit` bytes.

    Raises TimeoutError, NotAnswered, and OSError when it breaks off.
    """
    receiver = _Whole(limit)
    connection.send(data, receiver)
    timer = receiver.loop.call_later(seconds, receiver.expire)
    try:
        return await receiver.done
    finally:
        timer.cancel()
        if not receiver.complete:
            connection.abort()


class _Whole:
    """Receives one answer into a future."""

    def __init__(self, limit: int | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Answer] = self.loop.create_future()
        self.complete = False
        self._limit, self._size = limit, 0
        self._status = 0
        self._headers: Headers = ()
        self._pieces: list[bytes] = []

    def on_head(self, status: int, headers: Headers) -> None:
        self._status, self._headers = status, headers

    def on_body(self, chunk: bytes) -> None:
        if self._limit is not None:
            chunk = chunk[: self._limit - self._size]
        self._pieces.append(chunk)
        self._size += len(chunk)
        if self._size == self._limit:
            self._give()

    def on_end(self) -> None:
        self.complete = True
        self._give()

    def on_lost(self, error: Exception, begun: bool) -> None:
        self._fail(error if begun else NotAnswered(str(error)))

    def expire(self) -> None:
        self._fail(TimeoutError("the answer did not come in time"))

    def _give(self) -> None:
        if not self.done.done():
            pieces = self._pieces
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self.done.set_result(Answer(self._status, self._headers, body))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Stream:
    """An answer read piece by piece, as its pieces come."""

    def __init__(self, connection: Connection, data: bytes, *, silence: float) -> None:
        self.status = 0
        self.headers: Headers = ()
        self._connection, self._silence = connection, silence
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        connection.send(data, self)

    async def begin(self) -> int:
        """The status. Raises TimeoutError when nothing comes for `silence` seconds, OSError when it is lost."""
        while not self.status and self._error is None:
            await self._wait()
        if self._error is not None:
            raise self._error
        return self.status

    async def pieces(self) -> AsyncIterator[bytes]:
        """What comes, until the end. Raises like `begin`."""
        while True:
            if self._pieces:
                yield self._taken()
            elif self._error is not None:
                raise self._error
            elif self._ended:
                return
            else:
                await self._wait()

    def close(self) -> None:
        """Read no more of it."""
        if not self._ended and self._error is None:
            self._connection.abort()

    def on_head(self, status: int, headers: Headers) -> None:
        """See Receiver."""
        self.status, self.headers = status, headers
        self._news.set()

    def on_body(self, chunk: bytes) -> None:
        """See Receiver."""
        self._pieces.append(chunk)
        self._size += len(chunk)
        if self._size > BACKLOG:
            self._connection.pause()
        self._news.set()

    def on_end(self) -> None:
        """See Receiver."""
        self._ended = True
        self._news.set()

    def on_lost(self, error: Exception, begun: bool) -> None:
        """See Receiver."""
        self._error = error
        self._news.set()

    async def _wait(self) -> None:
        self._news.clear()
        async with asyncio.timeout(self._silence):
            await self._news.wait()

    def _taken(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        if self._size > BACKLOG and not self._ended:
            self._connection.resume()
        self._size = 0
        return taken
