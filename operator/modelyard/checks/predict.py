"""The HTTP client of the checks: asks a model server, tells what came back, judges nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from modelyard.checks.answers import Answer, Reply, Trouble, body_excerpt
from modelyard.checks.data import Batch
from modelyard.checks.limits import Limits

_READY_BYTES = 4096
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "modelyard-check"}
_JSON = {"Content-Type": "application/json"}

DROPPED = (
    "the connection was dropped before the answer was complete; the model may have crashed or been killed"
)


class ModelClient:
    """Speaks to the replicas and the Service of one model, by address. Never raises for what they do."""

    def __init__(self, session: aiohttp.ClientSession, url_prefix: str, limits: Limits) -> None:
        self._session = session
        self._prefix = url_prefix
        self._limits = limits
        self.predictions_sent = 0
        self.rows_sent = 0
        self.connections_lost = 0
        """Refused, or dropped before the answer was complete: as when a model crashes."""

    async def ask_ready(self, address: str) -> Reply:
        """`GET <prefix>/`; silence beyond the limit is Trouble."""
        seconds = self._limits.ask_timeout
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.get(
                self._url(address, "/"), timeout=timeout, allow_redirects=False
            ) as got:
                return await _read(got, _READY_BYTES)
        except TimeoutError:
            return Trouble(f"no answer within {seconds:g} s")
        except aiohttp.ClientError as error:
            return self._trouble(error)

    async def predict(self, address: str, batch: Batch) -> Reply:
        """`POST <prefix>/predict_no_state/`; waits for the answer as long as the caller does."""
        self.predictions_sent += 1
        self.rows_sent += len(batch.rows)
        seconds = self._limits.connect_timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=seconds)
        url = self._url(address, "/predict_no_state/")
        try:
            async with self._session.post(
                url, data=batch.body, headers=_JSON, timeout=timeout, allow_redirects=False
            ) as got:
                return await _read(got, self._limits.answer_bytes)
        except TimeoutError:
            return Trouble(f"no connection within {seconds:g} s")
        except aiohttp.ClientError as error:
            return self._trouble(error)

    def _trouble(self, error: aiohttp.ClientError) -> Trouble:
        self.connections_lost += not isinstance(error, aiohttp.ClientResponseError)
        return Trouble(_what_happened(error))

    def _url(self, address: str, path: str) -> URL:
        server = address if address.startswith("https://") else f"http://{address}"
        return URL(f"{server}{self._prefix}{path}", encoded=True)


@asynccontextmanager
async def model_client(url_prefix: str, limits: Limits) -> AsyncIterator[ModelClient]:
    """A client for one run. Each request has a connection of its own.

    A kept connection would pin the Service to one replica, and its end would look like a crash.
    """
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, headers=_HEADERS, auto_decompress=False) as session:
        yield ModelClient(session, url_prefix, limits)


async def _read(got: aiohttp.ClientResponse, longest: int) -> Answer:
    body = bytearray()
    encoding = got.headers.get("Content-Encoding", "")
    async for piece in got.content.iter_any():
        body += piece
        if len(body) > longest:
            return Answer(got.status, bytes(body[:longest]), whole=False, encoding=encoding)
    return Answer(got.status, bytes(body), encoding="" if encoding == "identity" else encoding)


def _what_happened(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the host {error.host!r} has no address: {error.os_error.strerror or error.os_error}"
        case aiohttp.ClientSSLError():
            return f"no TLS connection: {_tls_problem(error)}"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return os.strerror(number).lower() if number else f"no connection: {error.os_error}"
        case aiohttp.ClientResponseError():
            return f"the answer is not HTTP: {body_excerpt(error.message.encode())}"
    return DROPPED


def _tls_problem(error: aiohttp.ClientSSLError) -> str:
    """In the words of the TLS library, which keeps them in one place or another."""
    found = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    problem = getattr(found, "verify_message", "") or getattr(found, "reason", "") or found
    return str(problem).replace("_", " ").lower()
