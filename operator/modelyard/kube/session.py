"""The pooled HTTP session to the API server: JSON in, JSON out (a log is text), typed errors.

Every request of the operator goes through here; the event engine gets a session made by `open_http`, so that
its requests carry the same credentials and are counted alike.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import orjson
from aiohttp.client_middlewares import ClientHandlerType, ClientMiddlewareType

from modelyard.kube.access import Access
from modelyard.kube.errors import Unavailable, from_status
from modelyard.kube.requests import Request, parse_request

APPLY = "application/apply-patch+yaml"
"""Content type of server-side apply; JSON is YAML."""

REQUEST_TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0
_CHUNK = 64 * 1024
_USER_AGENT = "modelyard"
_TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


class Silent(Unavailable):
    """A watch on which nothing came for too long: it is broken, or nothing ever happens to its kind."""


class Observer(Protocol):
    """Told of every request: when it begins (`code` None), and how it ended (0 = no answer at all)."""

    def __call__(self, request: Request, code: int | None, seconds: float) -> None: ...


def ignore(request: Request, code: int | None, seconds: float) -> None:
    """The observer that looks away."""


def open_http(access: Access, observe: Observer = ignore) -> aiohttp.ClientSession:
    """A connection pool that authorizes and reports each request. The caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=access.ssl if access.ssl is not None else True),
        headers={"User-Agent": _USER_AGENT},
        middlewares=(_authorized(access), _observed(observe)),
        timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
    )


class Session:
    """Requests to the API server; safe to use from many tasks at once."""

    def __init__(self, access: Access, observe: Observer = ignore) -> None:
        self._server = access.server
        self._http = open_http(access, observe)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

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
        data = None if body is None else orjson.dumps(body)
        headers = None if data is None else {"Content-Type": content_type}
        what = str(parse_request(method, path, params or {}))
        try:
            async with self._http.request(
                method, self._server + path, params=params, data=data, headers=headers
            ) as response:
                return _parsed(what, response, await response.read())
        except _TROUBLE as error:
            raise _unreachable(what, error) from error

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        """The first `limit` bytes of an answer that is text (a log), whatever its bytes.

        Raises errors.ApiError; Unavailable also when it has not come within so many seconds.
        """
        what = str(parse_request("GET", path, params))
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_TIMEOUT)
        try:
            async with self._http.get(self._server + path, params=params, timeout=timeout) as response:
                if response.status >= 300:
                    _parsed(what, response, await response.read())
                return (await _first_bytes(response.content, limit)).decode("utf-8", "replace")
        except _TROUBLE as error:
            raise _unreachable(what, error) from error

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str], silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A watch: an iterator over the lines of the answer, ended by the server.

        Raises errors.ApiError, on entering and while iterating; Silent when nothing at all arrives for `silence`
        seconds.
        """
        what = str(parse_request("GET", path, params))
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=silence)
        try:
            async with self._http.get(self._server + path, params=params, timeout=timeout) as response:
                if response.status >= 300:
                    _parsed(what, response, await response.read())
                yield _lines(response.content)
        except aiohttp.SocketTimeoutError as error:
            raise Silent(f"{what}: nothing came for {silence:.0f} s") from error
        except _TROUBLE as error:
            raise _unreachable(what, error) from error


async def _first_bytes(content: aiohttp.StreamReader, limit: int) -> bytes:
    """In chunks, so that no more than the limit is ever held, however much the server sends."""
    read = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        read += chunk[: limit - len(read)]
        if len(read) >= limit:
            break
    return bytes(read)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length; aiohttp's own `readline` stops at 128 KiB and objects may be larger."""
    pending: list[bytes] = []
    async for chunk in content.iter_any():
        first, *others = chunk.split(b"\n")
        pending.append(first)
        for part in others:
            line = b"".join(pending)
            pending = [part]
            if line:
                yield line


def _parsed(what: str, response: aiohttp.ClientResponse, data: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(data) if data else {}
    except orjson.JSONDecodeError:
        answer = None
    if response.status >= 300:
        status = answer if isinstance(answer, dict) else None
        raise from_status(what, response.status, status, response.headers.get("Retry-After"))
    if not isinstance(answer, dict):
        raise Unavailable(f"{what}: the answer is not a JSON object")
    return answer


def _unreachable(what: str, error: BaseException) -> Unavailable:
    reason = "timed out" if isinstance(error, TimeoutError) else type(error).__name__
    return Unavailable(f"{what}: no answer from the API server ({reason})")


def _authorized(access: Access) -> ClientMiddlewareType:
    async def middleware(
        request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        token = access.token()
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    return middleware


def _observed(observe: Observer) -> ClientMiddlewareType:
    async def middleware(
        request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        about = parse_request(request.method, request.url.path, request.url.query)
        started = time.monotonic()
        observe(about, None, 0.0)
        code = 0
        try:
            response = await handler(request)
            code = response.status
            return response
        finally:
            observe(about, code, time.monotonic() - started)

    return middleware
