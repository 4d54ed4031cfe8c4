"""Requests over HTTP: JSON both ways, credentials on each, errors typed, nothing secret in messages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.api.kinds import POD, SERVICE
from modelyard.kube.access import Access
from modelyard.kube.errors import Conflict, Unavailable
from modelyard.kube.requests import Request
from modelyard.kube.session import APPLY, Session, Silent
from tests.unit.kube.api_server import ApiServer, Watch, event, failure, pod, serving


async def test_an_answer_is_parsed() -> None:
    async with serving(ApiServer(lists=[pod(1, "a")])) as session:
        assert await session.request("GET", POD.path("ns", "a")) == pod(1, "a")


async def test_a_body_is_sent_as_json_with_its_type_and_parameters() -> None:
    api = ApiServer()
    async with serving(api) as session:
        await session.request(
            "PATCH", SERVICE.path("ns", "s"), params={"force": "true"}, body={"a": "é"}, content_type=APPLY
        )

    (request,) = api.seen
    assert (request.method, request.path, dict(request.query)) == (
        "PATCH",
        "/api/v1/namespaces/ns/services/s",
        {"force": "true"},
    )
    assert request.headers["Content-Type"] == APPLY
    assert api.bodies == ['{"a":"é"}'.encode()]


async def test_the_token_is_asked_for_at_every_request() -> None:
    api, tokens = ApiServer(), iter(("first", "second"))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.answer)
    async with TestServer(application) as server:
        session = Session(Access(f"http://{server.host}:{server.port}", None, lambda: next(tokens)))
        for _ in range(2):
            await session.request("GET", POD.path())
        await session.close()

    assert [request.headers["Authorization"] for request in api.seen] == ["Bearer first", "Bearer second"]


async def test_without_a_token_nothing_is_claimed() -> None:
    api = ApiServer()
    async with serving(api) as session:
        await session.request("GET", POD.path())

    assert "Authorization" not in api.seen[0].headers


async def test_a_refusal_is_typed_and_names_what_was_tried() -> None:
    async with serving(ApiServer(lists=[failure(409, "Conflict", "changed")])) as session:
        with pytest.raises(Conflict, match=r"^update Pod ns/a: changed$"):
            await session.request("PUT", POD.path("ns", "a"), body={})


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        session = Session(Access(f"http://127.0.0.1:{taken.getsockname()[1]}", None, lambda: "s3cret"))
        with pytest.raises(Unavailable) as caught:
            await session.request("GET", POD.path("ns", "a"))
        await session.close()

    assert str(caught.value) == "get Pod ns/a: no answer from the API server (ConnectionRefusedError)"


@pytest.mark.parametrize("text", ["<html>", "[1]"])
async def test_an_answer_that_is_no_object_is_unavailable(text: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with TestServer(application) as server:
        session = Session(Access(f"http://{server.host}:{server.port}", None, lambda: None))
        with pytest.raises(Unavailable, match="not a JSON object"):
            await session.request("GET", POD.path())
        await session.close()


async def test_requests_are_observed_when_they_begin_and_when_they_end() -> None:
    api = ApiServer(lists=[failure(403, "Forbidden")])
    async with serving(api) as session:
        with pytest.raises(Exception, match="list Pod ns"):
            await session.request("GET", POD.path("ns"))

    assert api.observed == [(Request("list", POD, "ns"), None), (Request("list", POD, "ns"), 403)]


async def read(session: Session, silence: float = 5.0) -> list[bytes]:
    async with session.stream(POD.path(), params={"watch": "true"}, silence=silence) as lines:
        return [line async for line in lines]


async def test_a_stream_gives_lines_whatever_their_length_and_however_they_arrive() -> None:
    large = event("ADDED", pod(1, "a", blob="x" * 1_500_000))
    pieces = [
        large[:10],
        large[10:700_000],
        large[700_000:] + event("ADDED", pod(2, "b")) + b"\n",
        b'{"a"',
        b":1}\n",
    ]
    async with serving(ApiServer(watches=[Watch(pieces)])) as session:
        found = await read(session)

    assert found == [large.rstrip(), event("ADDED", pod(2, "b")).rstrip(), b'{"a":1}']


async def test_a_stream_that_falls_silent_is_unavailable() -> None:
    async with serving(ApiServer(watches=[Watch([event("ADDED", pod(1, "a"))], hangs=True)])) as session:
        with pytest.raises(Silent, match=r"^watch Pod: nothing came for 0 s$"):
            await read(session, silence=0.1)


async def test_a_stream_that_breaks_off_is_unavailable() -> None:
    async with serving(ApiServer(watches=[Watch([b'{"half": '], breaks=True)])) as session:
        with pytest.raises(Unavailable, match="no answer from the API server"):
            await read(session)


async def test_a_stream_that_is_refused_is_typed() -> None:
    async with serving(ApiServer(watches=[Watch(code=503)])) as session:
        with pytest.raises(Unavailable, match=r"^watch Pod: no$"):
            await read(session)


async def test_many_requests_at_once_share_the_session() -> None:
    api = ApiServer(lists=[pod(1, "a")])
    async with serving(api) as session:
        found = await asyncio.gather(*(session.request("GET", POD.path("ns", "a")) for _ in range(50)))

    assert len(found) == len(api.seen) == 50


@pytest.mark.parametrize(
    ("server", "line", "host"),
    [
        ("http://127.0.0.1:{port}", "GET /api/v1/pods HTTP/1.1", "127.0.0.1:{port}"),
        ("http://127.0.0.1:{port}/k8s/c-1/", "GET /k8s/c-1/api/v1/pods HTTP/1.1", "127.0.0.1:{port}"),
        ("http://u:p@localhost:{port}", "GET /api/v1/pods HTTP/1.1", "localhost:{port}"),
    ],
)
async def test_what_is_sent_to_a_server(server: str, line: str, host: str) -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (port, heard):
        session = Session(Access(server.format(port=port), None, lambda: "t"))
        await session.request("GET", POD.path())
        await session.close()

    assert heard == [
        f"{line}\r\nHost: {host.format(port=port)}\r\nUser-Agent: modelyard\r\n"
        "Authorization: Bearer t\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("method", "sent"), [("GET", 2), ("PATCH", 2), ("DELETE", 2), ("POST", 1), ("PUT", 1)]
)
async def test_what_may_be_said_twice_is_when_a_kept_connection_turns_out_dead(
    method: str, sent: int
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with saying(answer, b"", answer) as (port, heard):
        session = Session(Access(f"http://127.0.0.1:{port}", None, lambda: None))
        await session.request("GET", POD.path())
        body: dict[str, str] | None = None if method == "GET" else {}
        if sent == 2:
            assert await session.request(method, POD.path("ns", "a"), body=body) == {}
        else:
            with pytest.raises(Unavailable, match="NotAnswered"):
                await session.request(method, POD.path("ns", "a"), body=body)
        await session.close()

    assert len(heard) == 1 + sent


async def test_a_token_that_cannot_be_read_is_no_end() -> None:
    def missing() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    session = Session(Access("http://127.0.0.1:1", None, missing))
    with pytest.raises(Unavailable, match="the token cannot be read: No such file or directory"):
        await session.request("GET", POD.path())
    await session.close()


@asynccontextmanager
async def saying(*answers: bytes) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that says these bytes, one for each request; none: it closes. Its port, and the heads that it heard."""
    heard, script = list[str](), list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                heard.append(head.decode())
                length = next((int(v) for k, v in _fields(head) if k == b"content-length"), 0)
                await reader.readexactly(length)
                said = script.pop(0)
                if not said:
                    break
                writer.write(said)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    lines = head.split(b"\r\n")[1:-2]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
