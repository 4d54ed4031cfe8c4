"""A small API server on loopback that answers lists and watches as a test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.kube.access import Access
from modelyard.kube.requests import Request
from modelyard.kube.session import Session

Manifest = dict[str, Any]


def pod(version: int, name: str, **more: Any) -> Manifest:
    """A pod at a resourceVersion."""
    metadata = {"name": name, "namespace": "ns", "uid": f"u-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata, **more}


def event(kind: str, found: Manifest) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": found}).encode() + b"\n"


def bookmark(version: int) -> bytes:
    """A bookmark of a watch."""
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def failure(code: int, reason: str, message: str = "no") -> Manifest:
    """A Status."""
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}


def listed(version: int, *items: Manifest, proceed: str = "") -> Manifest:
    """A page of a list."""
    metadata = {"resourceVersion": str(version), **({"continue": proceed} if proceed else {})}
    return {"kind": "PodList", "metadata": metadata, "items": list(items)}


@dataclass
class Watch:
    """What one watch sends; then it ends, unless it `hangs`. A `code` refuses it, `breaks` cuts it off."""

    lines: Iterable[bytes] = ()
    hangs: bool = False
    breaks: bool = False
    code: int = 200
    lasts: float = 0.0
    withheld: bool = False
    """Not even its head comes."""


@dataclass
class ApiServer:
    """Answers in turn; the last list and watch are repeated. `seen` is what was asked."""

    lists: list[Manifest] = field(default_factory=lambda: [listed(1)])
    watches: list[Watch] = field(default_factory=lambda: [Watch(hangs=True)])
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    observed: list[tuple[Request, int | None]] = field(default_factory=list)

    def queries(self, *, watch: bool) -> list[dict[str, str]]:
        """The queries of lists or watches."""
        return [dict(request.query) for request in self.seen if ("watch" in request.query) == watch]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        self.seen.append(request)
        self.bodies.append(await request.read())
        return await self._watch(request) if "watch" in request.query else self._list()

    def _list(self) -> web.Response:
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return web.json_response(answer, status=answer.get("code", 200))

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        script = self.watches.pop(0) if len(self.watches) > 1 else self.watches[0]
        if script.code != 200:
            return web.json_response(failure(script.code, "X"), status=script.code)
        if script.withheld:
            await asyncio.sleep(60)
        response = web.StreamResponse()
        await response.prepare(request)
        for line in script.lines:
            await response.write(line)
        await asyncio.sleep(60 if script.hangs else script.lasts)
        if script.breaks and request.transport:
            request.transport.abort()
        return response


@asynccontextmanager
async def serving(api: ApiServer, token: str | None = None) -> AsyncIterator[Session]:
    """A session with this server."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.answer)
    async with TestServer(application, shutdown_timeout=0.1) as server:
        address = f"http://{server.host}:{server.port}"
        session = Session(
            Access(address, None, lambda: token),
            lambda request, code, seconds: api.observed.append((request, code)),
        )
        try:
            yield session
        finally:
            await session.close()
