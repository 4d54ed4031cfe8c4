"""The pooled HTTP session to the API server: JSON in, JSON out (a log is text), typed errors.

Every request of the operator goes through here, with the same credentials, and is counted alike.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from modelyard.http1.answers import Answer, NotAnswered, Stream, ask
from modelyard.http1.client import Pool
from modelyard.kube.access import Access
from modelyard.kube.errors import Unavailable, from_status
from modelyard.kube.requests import Request, parse_request

APPLY = "application/apply-patch+yaml"
"""Content type of server-side apply; JSON is YAML."""

REQUEST_TIMEOUT = 30.0
_PLAIN = re.compile(r"[a-z0-9/.-]+", re.ASCII)
"""Paths that are the same quoted: nearly all."""

_PORTS = {"http": 80, "https": 443}


class Silent(Unavailable):
    """A watch on which nothing came for too long: it is broken, or nothing ever happens to its kind."""


class Observer(Protocol):
    """Told of every request: when it begins (`code` None), and how it ended (0 = no answer at all)."""

    def __call__(self, request: Request, code: int | None, seconds: float) -> None: ...


def ignore(request: Request, code: int | None, seconds: float) -> None:
    """The observer that looks away."""


class Session:
    """Requests to the API server; safe to use from many tasks at once."""

    def __init__(self, access: Access, observe: Observer = ignore) -> None:
        server = urlsplit(access.server)
        host, port = server.hostname or "", server.port or _PORTS[server.scheme]
        self._pool = Pool(host, port, access.ssl)
        self._prefix, self._token, self._observe = server.path.rstrip("/"), access.token, observe
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._common = f" HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: modelyard\r\n"

    async def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """The parsed answer. Raises errors.ApiError; Unavailable also when no answer comes."""
        about = parse_request(method, path, params or {})
        data = None if body is None else orjson.dumps(body)
        asked = self._bytes(method, path, params, data, content_type)
        return _parsed(about, await self._answer(about, asked, seconds=REQUEST_TIMEOUT))

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        """The first `limit` bytes of an answer that is text (a log), whatever its bytes.

        Raises errors.ApiError; Unavailable also when it has not come within so many seconds.
        """
        about = parse_request("GET", path, params)
        asked = self._bytes("GET", path, params)
        answer = await self._answer(about, asked, seconds=seconds, limit=limit)
        if answer.status >= 300:
            _parsed(about, answer)
        return answer.body.decode("utf-8", "replace")

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str], silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A watch: an iterator over the lines of the answer, ended by the server.

        Raises errors.ApiError, on entering and while iterating; Silent when it has begun, and then nothing at all
        arrives for `silence` seconds.
        """
        about = parse_request("GET", path, params)
        seen = _Seen(self._observe, about)
        try:
            stream = await self._begin(about, self._bytes("GET", path, params), silence)
            seen.code = stream.status
        finally:
            seen.end()
        try:
            if stream.status >= 300:
                body = b"".join([piece async for piece in stream.pieces()])
                _parsed(about, Answer(stream.status, stream.headers, body))
            yield _lines(stream.pieces())
        except TimeoutError as error:
            raise Silent(f"{about}: nothing came for {silence:.0f} s") from error
        except OSError as error:
            raise _unreachable(about, error) from error
        finally:
            stream.close()

    def _bytes(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None = None,
        content_type: str = "",
    ) -> bytes:
        """A request as it goes over the wire."""
        place = path if _PLAIN.fullmatch(path) else quote(path)
        target = f"{self._prefix}{place}?{_query(tuple(params.items()))}" if params else self._prefix + place
        try:
            token = self._token()
        except OSError as error:
            raise Unavailable(f"the token cannot be read: {error.strerror}") from error
        head = f"{method} {target}{self._common}"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if data is None:
            return f"{head}\r\n".encode()
        length = f"Content-Type: {content_type}\r\nContent-Length: {len(data)}\r\n\r\n"
        return f"{head}{length}".encode() + data

    async def _begin(self, about: Request, asked: bytes, silence: float) -> Stream:
        """A stream whose head has come."""
        try:
            stream = Stream(await self._pool.take(), asked, silence=silence)
            try:
                await stream.begin()
            except BaseException:
                stream.close()
                raise
        except OSError as error:
            raise _unreachable(about, error) from error
        return stream

    async def _answer(
        self, about: Request, asked: bytes, *, seconds: float, limit: int | None = None
    ) -> Answer:
        seen = _Seen(self._observe, about)
        try:
            answer = await self._ask(about, asked, seconds, limit)
            seen.code = answer.status
            return answer
        except OSError as error:
            raise _unreachable(about, error) from error
        finally:
            seen.end()

    async def _ask(self, about: Request, asked: bytes, seconds: float, limit: int | None) -> Answer:
        """What may be said twice is, when the server closed a connection just as it was used again."""
        connection = await self._pool.take()
        again = connection.used > 0 and about.repeatable
        try:
            return await ask(connection, asked, seconds=seconds, limit=limit)
        except NotAnswered:
            if not again:
                raise
        return await ask(await self._pool.fresh(), asked, seconds=seconds, limit=limit)


class _Seen:
    """One request under way, as the observer is told of it."""

    def __init__(self, observe: Observer, about: Request) -> None:
        self.code = 0
        self._observe, self._about, self._started = observe, about, time.monotonic()
        self._ended = False
        observe(about, None, 0.0)

    def end(self) -> None:
        """Tell, once, what came of it."""
        if not self._ended:
            self._ended = True
            self._observe(self._about, self.code, time.monotonic() - self._started)


@lru_cache(maxsize=64)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    return urlencode(params)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines of any length."""
    pending: list[bytes] = []
    async for piece in pieces:
        first, *others = piece.split(b"\n")
        pending.append(first)
        for part in others:
            line = b"".join(pending)
            pending = [part]
            if line:
                yield line


def _parsed(about: Request, answer: Answer) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.body) if answer.body else {}
    except orjson.JSONDecodeError:
        found = None
    if answer.status >= 300:
        status = found if isinstance(found, dict) else None
        raise from_status(str(about), answer.status, status, answer.header(b"retry-after"))
    if not isinstance(found, dict):
        raise Unavailable(f"{about}: the answer is not a JSON object")
    return found


def _unreachable(about: Request, error: OSError) -> Unavailable:
    reason = "timed out" if isinstance(error, TimeoutError) else type(error).__name__
    return Unavailable(f"{about}: no answer from the API server ({reason})")
