"""Our own client and cache against the real API server, and a wire between them that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from modelyard.kube.access import Access, from_kubeconfig
from modelyard.kube.cache import Cache
from modelyard.kube.live import LiveCluster
from modelyard.kube.requests import Request
from modelyard.kube.session import Session
from tests.apiserver.server import ApiServer

WRITES = frozenset({"create", "update", "apply", "delete"})


@dataclass
class Client:
    """A session, a cache and a cluster; the requests that were answered: those that were done and those refused."""

    session: Session
    cache: Cache
    live: LiveCluster
    done: list[Request]
    refused: list[Request]

    def writes(self) -> list[str]:
        """What was written since the last time that this was asked."""
        written = [str(request) for request in self.done if request.verb in WRITES]
        self.done.clear()
        return written


@asynccontextmanager
async def client(server: ApiServer) -> AsyncIterator[Client]:
    """Everything that a pass needs, with an empty cache."""
    done: list[Request] = []
    refused: list[Request] = []

    def observe(request: Request, code: int | None, seconds: float) -> None:
        if code is not None:
            (done if code < 300 else refused).append(request)

    session, cache = Session(from_kubeconfig(server.kubeconfig), observe), Cache()
    try:
        live = LiveCluster(session, cache, now=lambda: datetime.now(UTC))
        yield Client(session, cache, live, done, refused)
    finally:
        await session.close()


class Wire:
    """Carries TCP to the API server; `cut` ends what is carried and lets nothing through until `mend`."""

    def __init__(self, port: int) -> None:
        self._port, self._is_cut = port, False
        self._carried: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Break every connection."""
        self._is_cut = True
        for carried in self._carried:
            carried.cancel()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    async def close(self) -> None:
        """Cut, and wait until nothing is left."""
        self.cut()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from now on."""
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            if self._is_cut:
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            async with _closing(far_writer):
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def wired(server: ApiServer) -> AsyncIterator[tuple[Access, Wire]]:
    """A way to the API server over a wire."""
    access = from_kubeconfig(server.kubeconfig)
    wire = Wire(urlsplit(access.server).port or 443)
    listening = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield replace(access, server=f"https://127.0.0.1:{port}"), wire
    finally:
        listening.close()
        await wire.close()


async def in_thread(call: Callable[[], Any]) -> Any:
    """A blocking request of the test's own, while the event loop goes on."""
    return await asyncio.to_thread(call)
