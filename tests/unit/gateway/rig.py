"""A gateway on loopback, models behind it, and a client that writes bytes as a test has them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from modelyard.gateway.engine import About
from modelyard.gateway.route import Address, Model, Table, Target, Version
from modelyard.gateway.routes import Board
from modelyard.gateway.serving import Gateway
from modelyard.gateway.settings import Settings
from modelyard.http1.exchange import Limits
from modelyard.http1.host import bound
from modelyard.http1.server import ServerConnection
from tests.support.eventually import eventually

PRICE = Target("Regression", "price")
INFER = "/v2/models/flats/infer"
QUESTION = b'{"id":"q","inputs":[{"name":"area","shape":[1],"datatype":"FP64","data":[3.5]}]}'
PREDICTED = b'{"predictions":[1.5]}'
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: gateway\r\n\r\n"


def post(body: bytes = QUESTION, path: str = INFER, headers: str = "") -> bytes:
    """A request for a prediction."""
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def get(path: str, method: str = "GET", headers: str = "") -> bytes:
    """A request without a body."""
    return f"{method} {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n".encode()


@dataclass(frozen=True)
class Reply:
    """An answer as the client got it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self.writer.write(data)

    async def reply(self, *, bodiless: bool = False) -> Reply:
        """The next answer."""
        async with asyncio.timeout(5):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:-2])
            length = 0 if bodiless else int(headers.get("content-length", "0"))
            return Reply(int(lines[0].split()[1]), headers, await self._reader.readexactly(length))

    async def ask(self, data: bytes, *, bodiless: bool = False) -> Reply:
        """Write bytes, and wait for the next answer."""
        self.send(data)
        return await self.reply(bodiless=bodiless)

    async def rest(self) -> bytes:
        """What comes until the gateway closes the connection."""
        async with asyncio.timeout(5):
            return await self._reader.read()

    def hang_up(self) -> None:
        """Close by a reset, as a program does that ends with something unread."""
        on = self.writer.get_extra_info("socket")
        if on is not None and not self.writer.transport.is_closing():
            on.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def closed(self) -> bool:
        """Wait until the gateway closes the connection, which it does without another word."""
        try:
            return await self.rest() == b""
        except ConnectionResetError:
            return True


class Question:
    """A request as a model got it."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.line, *lines = head.decode().split("\r\n")
        self.headers = dict(line.lower().split(": ", 1) for line in lines)
        self.body = body


Answering = Callable[["StubModel", asyncio.StreamWriter], Any]


def answered(body: bytes = PREDICTED, status: str = "200 OK") -> bytes:
    """An answer of a model."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


class StubModel:
    """A model that answers each request with the bytes of `answers` in turn, and with the last again and again.

    Of None it answers nothing; `hold` is waited for before each answer; after b"" it closes the connection.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers) or [answered()]
        self.asked: list[Question] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.connections = 0
        self.opened = 0
        self.address = Address("", 0)
        self.writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.opened += 1
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                question = Question(head[:-4], b"")
                question.body = await reader.readexactly(int(question.headers["content-length"]))
                self.asked.append(question)
                await self.hold.wait()
                answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
                if answer == b"":
                    break
                if answer is not None:
                    writer.write(answer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections -= 1
            self.writers.discard(writer)
            writer.close()


@asynccontextmanager
async def model(*answers: bytes | None) -> AsyncIterator[StubModel]:
    """A model that listens."""
    stub = StubModel(*answers)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    stub.address = Address(*server.sockets[0].getsockname()[:2])
    try:
        yield stub
    finally:
        server.close()
        stub.hold.set()
        for writer in tuple(stub.writers):
            writer.transport.abort()


def unused_address() -> Address:
    """Where nothing listens."""
    with bound("127.0.0.1", 0, shared=False) as taken:
        return Address(*taken.getsockname())


def table(*pods: Address, name: str = "flats", label: str = "1") -> Table:
    """One model with one version that serves, with these pods."""
    version = Version(label, PRICE, "/models/flats", pods)
    return Table({("default", name): Model("default", name, {label: version}, label)}, "default")


class FixedRoutes(Board):
    """Routes that are what a test publishes."""

    def __init__(self, known: Table) -> None:
        super().__init__(known)
        self.runs = asyncio.Event()

    async def run(self) -> None:
        """Never returns."""
        self.runs.set()
        await asyncio.Event().wait()


class Rig:
    """A gateway that serves."""

    def __init__(self, gateway: Gateway, routes: FixedRoutes, port: int) -> None:
        self.gateway, self.routes, self.port = gateway, routes, port
        self.clients: list[Client] = []
        self.engine = gateway.engine

    async def client(self) -> Client:
        """A new connection."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=2**26))
        self.clients.append(client)
        return client

    async def waiting(self, pod: StubModel, sent: bytes | None = None) -> Client:
        """A client whose prediction (`post()`) this pod has and answers only when its `hold` is set."""
        pod.hold.clear()
        client = await self.client()
        client.send(post() if sent is None else sent)
        await eventually(lambda: pod.asked)
        return client

    async def deaf(self) -> socket.socket:
        """A new connection on which nobody reads, and whose system takes little."""
        on = socket.socket()
        on.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        on.setblocking(False)
        await asyncio.get_running_loop().sock_connect(on, ("127.0.0.1", self.port))
        return on

    def served(self, on: socket.socket) -> ServerConnection:
        """The gateway's end of a connection."""
        ends = {one._transport.get_extra_info("peername"): one for one in self.gateway.server.connections}
        return ends[on.getsockname()]

    async def ask(self, data: bytes, *, bodiless: bool = False) -> Reply:
        """One request on a connection of its own."""
        return await (await self.client()).ask(data, bodiless=bodiless)

    @property
    def counted(self) -> dict[tuple[str, ...], float]:
        """Answers by namespace, model, version, endpoint and code."""
        return self.engine.book.tally().requests


@asynccontextmanager
async def served(made: Gateway, clients: Iterable[Client], *, once_known: bool = False) -> AsyncIterator[int]:
    """The port of a gateway that serves; it ends with the block, as these clients do that are there by then."""
    on = bound("127.0.0.1", 0, shared=False)
    serving = asyncio.create_task(made.serve(on, once_known=once_known))
    try:
        async with asyncio.timeout(5):
            await made.server.listening.wait()
        yield on.getsockname()[1]
    finally:
        made.end()
        for client in clients:
            client.hang_up()
        async with asyncio.timeout(10):
            await serving


@asynccontextmanager
async def gateway(
    routes: Table | Sequence[Address] = (), settings: Settings | None = None, **limits: Any
) -> AsyncIterator[Rig]:
    """A gateway in front of a table, or of one model with these pods."""
    board = FixedRoutes(Table({}, "default"))
    board.publish(routes if isinstance(routes, Table) else table(*routes))
    settings = replace(settings or Settings(access_log_sample=0.0), limits=Limits(**limits))
    made = Gateway(board, settings, About("0"))
    clients: list[Client] = []
    async with served(made, clients) as port:
        rig = Rig(made, board, port)
        rig.clients = clients
        yield rig
