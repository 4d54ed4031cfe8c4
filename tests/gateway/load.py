"""Callers of a gateway that keep a rate or go one after the other, and remember what became of every request."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.eventually import eventually

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one request. `status` 0: the connection broke."""

    number: int
    status: int
    document: Document
    retry_after: str | None
    sent: float
    """By the clock of time.monotonic, as `ended`."""

    ended: float

    @property
    def value(self) -> float | None:
        """The one number that the model answered."""
        return self.document["outputs"][0]["data"][0] if self.status == 200 else None


async def ask(session: aiohttp.ClientSession, base: str, number: int, model: str = "echo") -> Seen:
    """One request whose only value is its number."""
    sent = time.monotonic()
    inputs = [{"name": "value", "shape": [1], "datatype": "FP64", "data": [float(number)]}]
    body = json.dumps({"id": str(number), "inputs": inputs})
    try:
        async with session.post(f"http://{base}/v2/models/{model}/infer", data=body) as answer:
            document = json.loads(await answer.read())
            retry_after = answer.headers.get("Retry-After")
            return Seen(number, answer.status, document, retry_after, sent, time.monotonic())
    except aiohttp.ClientError as error:
        return Seen(number, 0, {"error": repr(error)}, None, sent, time.monotonic())


@dataclass(slots=True)
class Load(AbstractAsyncContextManager["Load"]):
    """`rate` requests a second while the block runs, however long each takes."""

    base: str
    rate: float
    keeps: bool = True
    """Whether connections are used again. One that the other side has ended may be taken for a request before that is
    known, which then fails."""

    seen: list[Seen] = field(default_factory=list)
    _running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Load:
        self._running = asyncio.create_task(self._run())
        await self.until(lambda: any(one.status == 200 for one in self.seen))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        began = time.monotonic()
        under_way: set[asyncio.Task[None]] = set()
        connector = aiohttp.TCPConnector(limit=0, force_close=not self.keeps)
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                for number in itertools.count():
                    await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))
                    task = asyncio.create_task(self._ask(session, number))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
            finally:
                await asyncio.gather(*under_way)

    async def _ask(self, session: aiohttp.ClientSession, number: int) -> None:
        self.seen.append(await ask(session, self.base, number))

    async def until(self, condition: Callable[[], bool], within: float = 20.0) -> None:
        """Return when an answer that came makes the condition hold; TimeoutError after so many seconds."""
        await eventually(condition, within)

    async def going_on(self, seconds: float) -> None:
        """Let so many seconds of requests be sent and answered."""
        end = time.monotonic() + seconds
        await self.until(lambda: bool(self.seen) and self.seen[-1].sent >= end, within=seconds + 20)

    def since(self, moment: float) -> list[Seen]:
        """What was sent from a moment on."""
        return [one for one in self.seen if one.sent >= moment]
