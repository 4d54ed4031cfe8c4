"""HTTP/1.1 from the asking side, against servers that say exactly these bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from modelyard.http1.answers import BACKLOG, Answer, NotAnswered, Stream, ask
from modelyard.http1.broken import BrokenAnswer
from modelyard.http1.client import HEAD_BYTES, Connection, Pool
from tests.support.eventually import eventually

ASKED = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CLOSE = b""
"""In a script: close the connection."""


class Server:
    """Answers request after request of each connection with what the script says."""

    def __init__(self, *script: bytes, split: int = 0) -> None:
        self.script, self.split = list(script), split
        self.connections = 0
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                said = self.script.pop(0) if self.script else OK
                await self._say(said, writer)
                if said == CLOSE or b"EOF" in said:
                    break
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    async def _say(self, said: bytes, writer: asyncio.StreamWriter) -> None:
        step = self.split or len(said) or 1
        for at in range(0, len(said), step):
            writer.write(said[at : at + step])
            await writer.drain()
            await asyncio.sleep(0)


@asynccontextmanager
async def pool_to(server: Server) -> AsyncIterator[Pool]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    pool = Pool("127.0.0.1", listening.sockets[0].getsockname()[1], None)
    try:
        yield pool
    finally:
        pool.close()
        listening.close()


async def answer(server: Server, seconds: float = 5.0, limit: int | None = None) -> Answer:
    async with pool_to(server) as pool:
        return await ask(await pool.take(), ASKED, seconds=seconds, limit=limit)


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize(
    ("said", "body"),
    [
        (OK, b"hi"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n ho\r\n0\r\n\r\n", b"hi ho"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil EOF", b"until EOF"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil EOF", b"until EOF"),
    ],
)
async def test_an_answer_ends_where_http_says_however_it_arrives(
    said: bytes, body: bytes, split: int
) -> None:
    found = await answer(Server(said, split=split))

    assert found.body == body
    assert found.status in (200, 204)


async def test_headers_are_found_by_their_lower_case_names() -> None:
    found = await answer(Server(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"))

    assert (found.status, found.header(b"retry-after"), found.header(b"etag")) == (429, "7", None)


async def test_a_connection_is_used_again_after_its_answer_and_not_before() -> None:
    server = Server()
    async with pool_to(server) as pool:
        for _ in range(3):
            await ask(await pool.take(), ASKED, seconds=5)
        assert server.connections == 1
        connections = [await pool.take() for _ in range(3)]
        await asyncio.gather(*(ask(connection, ASKED, seconds=5) for connection in connections))
        assert (server.connections, server.requests) == (3, 6)


async def test_a_connection_whose_server_says_close_is_not_used_again() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
    async with pool_to(server) as pool:
        for _ in range(2):
            assert (await ask(await pool.take(), ASKED, seconds=5)).body == b"hi"

    assert server.connections == 2


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (CLOSE, NotAnswered, "the server closed the connection"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nEOF",
            BrokenAnswer,
            "the server closed the connection",
        ),
        (b"SSH-2.0-OpenSSH\r\n", NotAnswered, "HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            NotAnswered,
            "Content-Length",
        ),
    ],
)
async def test_an_answer_that_is_none_is_an_error(said: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        await answer(Server(said))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
LONG = b"X: " + b"a" * HEAD_BYTES + b"\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\n" + LONG + b"Content-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (HEAD_BYTES // 6 + 1) + b"Content-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 " + LONG * 8,
        b"HTTP/1.1 100 Continue\r\n\r\n" * (HEAD_BYTES // 2) + OK,
        CHUNKED + b"\r\n2\r\nhi\r\n0\r\n" + LONG * 8 + b"\r\n",
        CHUNKED + b"\r\n2;" + b"a" * HEAD_BYTES * 8 + b"\r\nhi\r\n0\r\n\r\n",
    ],
)
async def test_an_answer_that_is_all_head_is_an_error(said: bytes) -> None:
    with pytest.raises(ConnectionError, match=f"larger than {HEAD_BYTES} bytes"):
        await answer(Server(said))


async def test_a_long_answer_in_small_chunks_is_no_head() -> None:
    body = b"1\r\na\r\n" * HEAD_BYTES
    found = await answer(Server(CHUNKED + b"\r\n" + body + b"0\r\n\r\n"))
    assert found.body == b"a" * HEAD_BYTES


async def test_each_answer_of_a_connection_may_have_a_head_of_its_own() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n", OK)
    server.script *= 3
    async with pool_to(server) as pool:
        for _ in range(6):
            assert (await ask(await pool.take(), ASKED, seconds=5)).status == 200
    assert server.connections == 1


async def test_an_answer_that_does_not_come_in_time_costs_its_connection() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow")
    async with pool_to(server) as pool:
        connection = await pool.take()
        with pytest.raises(TimeoutError):
            await ask(connection, ASKED, seconds=0.05)
        assert not connection.free
        assert (await ask(await pool.take(), ASKED, seconds=5)).body == b"hi"

    assert server.connections == 2


async def test_giving_up_takes_the_connection_with_it_but_only_until_the_answer_is_there() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow")
    async with pool_to(server) as pool:
        connection = await pool.take()
        task = asyncio.create_task(ask(connection, ASKED, seconds=5))
        await eventually(lambda: server.requests == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not connection.free
        again = await pool.take()
        first = asyncio.create_task(ask(again, ASKED, seconds=5))
        await eventually(lambda: again.used == 1 and again.free)
        first.cancel()  # too late: the answer was complete, and the next may have the connection already
        await asyncio.gather(first, return_exceptions=True)
        assert again.free
        assert await pool.take() is again


async def test_of_a_long_answer_no_more_is_held_than_was_wanted() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000

    assert (await answer(Server(said), limit=10)).body == b"x" * 10


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    server = Server(OK + OK)
    async with pool_to(server) as pool:
        connection = await pool.take()
        assert (await ask(connection, ASKED, seconds=5)).body == b"hi"
        await eventually(lambda: not connection.free)
        assert await pool.take() is not connection


async def test_a_connection_that_lay_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    async with pool_to(server) as pool:
        await ask(await pool.take(), ASKED, seconds=5)
        monkeypatch.setattr("modelyard.http1.client.IDLE_SECONDS", -1.0)
        await ask(await pool.take(), ASKED, seconds=5)

    assert server.connections == 2


async def test_a_stream_makes_a_fast_server_wait_for_a_slow_reader() -> None:
    size = 40 * BACKLOG
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size, split=BACKLOG)
    async with pool_to(server) as pool:
        stream = Stream(await pool.take(), ASKED, silence=5)
        assert await stream.begin() == 200
        await eventually(lambda: stream._size > BACKLOG)
        for _ in range(50):
            await asyncio.sleep(0)
        assert stream._size < 4 * BACKLOG
        assert sum([len(piece) async for piece in stream.pieces()]) == size


async def test_closing_a_stream_frees_its_server() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    async with pool_to(server) as pool:
        connection: Connection = await pool.take()
        stream = Stream(connection, ASKED, silence=5)
        assert await anext(stream.pieces()) == b"hi"
        stream.close()
        await eventually(lambda: not connection.free and not pool._all)


class Ear(asyncio.Transport):
    """A transport that only knows whether it listens."""

    def __init__(self) -> None:
        super().__init__()
        self.listens = True

    def write(self, data: object) -> None:
        """Into the void."""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.listens = False

    def resume_reading(self) -> None:
        self.listens = True


async def test_a_connection_listens_again_when_an_answer_has_ended_that_nobody_read() -> None:
    ear, connection = Ear(), Connection()
    connection.connection_made(ear)
    stream = Stream(connection, ASKED, silence=5)
    body = b"x" * (BACKLOG + 1)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
    assert not ear.listens

    connection.data_received(b"x")

    assert connection.free
    assert ear.listens
    assert b"".join([piece async for piece in stream.pieces()]) == body + b"x"


async def test_a_pool_that_is_closed_opens_no_more_and_forgets_what_is_lost() -> None:
    server = Server(OK, CLOSE)
    async with pool_to(server) as pool:
        await ask(await pool.take(), ASKED, seconds=5)
        with pytest.raises(NotAnswered):
            await ask(await pool.take(), ASKED, seconds=5)
        assert (pool._free, pool._all) == ([], set())
        pool.close()
        with pytest.raises(ConnectionAbortedError):
            await pool.take()
