"""Reading a container's log: text, bounded in size and in time, with typed errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.api.kinds import POD
from modelyard.kube.access import Access
from modelyard.kube.cache import Cache
from modelyard.kube.errors import ApiError, Forbidden, Invalid, Unavailable
from modelyard.kube.live import LiveCluster
from modelyard.kube.requests import Request
from modelyard.kube.session import Session
from tests.unit.kube.api_server import failure

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def speaking(answer: Answer, seen: list[Request] | None = None) -> AsyncIterator[LiveCluster]:
    """A cluster whose API server answers so."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with TestServer(application, shutdown_timeout=0.1) as server:
        access = Access(f"http://{server.host}:{server.port}", None, lambda: None)
        session = Session(access, lambda request, code, _: (seen or []).append(request))
        try:
            yield LiveCluster(session, Cache(), now=lambda: datetime.now(UTC))
        finally:
            await session.close()


def saying(body: bytes, status: int = 200) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type="text/plain")

    return answer


def refusing(code: int, reason: str, message: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(failure(code, reason, message), status=code)

    return answer


async def test_a_log_is_text_as_it_was_printed() -> None:
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(text='{"a": 1}\nzwölf\n')

    async with speaking(answer) as cluster:
        assert await cluster.log("ns", "p", "check", limit_bytes=1000) == '{"a": 1}\nzwölf\n'
    assert asked[0].path == POD.path("ns", "p", "log")
    assert dict(asked[0].query) == {"container": "check", "limitBytes": "1000"}


async def test_an_empty_log_is_no_missing_one() -> None:
    async with speaking(saying(b"")) as cluster:
        assert await cluster.log("ns", "p", "check", limit_bytes=1000) == ""


async def test_bytes_that_are_no_text_are_replaced() -> None:
    async with speaking(saying(b"a\xffb")) as cluster:
        assert await cluster.log("ns", "p", "check", limit_bytes=1000) == "a\ufffdb"


async def test_a_server_that_sends_without_end_is_read_up_to_the_limit() -> None:
    """Whatever it makes of `limitBytes`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport and not request.transport.is_closing():
            await response.write(b"x" * 65536)
        return response

    async with speaking(answer) as cluster:
        found = await cluster.log("ns", "p", "check", limit_bytes=100_001)
    assert found == "x" * 100_001


@pytest.mark.parametrize("begins", [b"", b"one line\n"])
async def test_a_node_that_falls_silent_is_unavailable_in_time(begins: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if begins:
            await response.prepare(request)
            await response.write(begins)
        await asyncio.sleep(60)
        return response

    async with speaking(answer) as cluster:
        began = asyncio.get_running_loop().time()
        with pytest.raises(
            Unavailable, match=r"^get Pod ns/p log: no answer from the API server \(timed out\)$"
        ):
            await cluster.log("ns", "p", "check", limit_bytes=1000, seconds=0.2)
        assert asyncio.get_running_loop().time() - began < 5


async def test_a_log_that_breaks_off_is_unavailable_and_not_half_a_log() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half a")
        assert request.transport
        request.transport.abort()
        return response

    async with speaking(answer) as cluster:
        with pytest.raises(Unavailable, match="get Pod ns/p log: no answer"):
            await cluster.log("ns", "p", "check", limit_bytes=1000)


async def test_the_log_of_a_pod_that_is_gone_is_none() -> None:
    async with speaking(refusing(404, "NotFound", 'pods "p" not found')) as cluster:
        assert await cluster.log("ns", "p", "check", limit_bytes=1000) is None


@pytest.mark.parametrize(
    ("code", "error"), [(400, Invalid), (403, Forbidden), (500, Unavailable), (429, Unavailable)]
)
async def test_a_refusal_is_typed_and_says_why(code: int, error: type[ApiError]) -> None:
    async with speaking(refusing(code, "X", "because")) as cluster:
        with pytest.raises(error, match=r"^get Pod ns/p log: because$"):
            await cluster.log("ns", "p", "check", limit_bytes=1000)


async def test_it_is_observed_like_any_request() -> None:
    seen: list[Request] = [Request("", None)]
    async with speaking(saying(b"x"), seen) as cluster:
        await cluster.log("ns", "p", "check", limit_bytes=10)
    assert seen[1:] == [Request("get", POD, "ns", "p", "log")] * 2
