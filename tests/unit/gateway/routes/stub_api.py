"""A small API server on loopback: lists and watches of Services and EndpointSlices."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.unit.gateway.routes.objects import Manifest


class Cluster:
    """Services and EndpointSlices; what is put or removed is told to all who watch."""

    def __init__(self, *found: Manifest) -> None:
        self.seen: list[str] = []
        self.listing = asyncio.Event()
        self.listing.set()
        self._version = 1
        self._objects: dict[str, dict[tuple[str, str], Manifest]] = {"services": {}, "endpointslices": {}}
        self._events: list[tuple[int, str, bytes]] = []
        self._watches: list[tuple[str, asyncio.Queue[bytes | None]]] = []
        for each in found:
            self.put(each)

    def put(self, found: Manifest) -> None:
        """An object is there now."""
        self._tell("MODIFIED", found)

    def remove(self, found: Manifest) -> None:
        """An object is gone."""
        self._tell("DELETED", found)

    @property
    def watched(self) -> int:
        """How many watches there are."""
        return len(self._watches)

    def hang_up(self) -> None:
        """End all watches."""
        for _, queue in self._watches:
            queue.put_nowait(None)
        self._watches.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A list, or a watch."""
        self.seen.append(f"{request.path}?{request.query.get('labelSelector')}")
        plural = request.path.rpartition("/")[2]
        if "watch" in request.query:
            return await self._watch(request, plural)
        await self.listing.wait()
        items = list(self._objects[plural].values())
        return web.json_response({"metadata": {"resourceVersion": str(self._version)}, "items": items})

    def _tell(self, what: str, found: Manifest) -> None:
        self._version += 1
        metadata = found["metadata"] | {"resourceVersion": str(self._version)}
        manifest: dict[str, Any] = {**found, "metadata": metadata}
        plural = "endpointslices" if "endpoints" in found else "services"
        self._objects[plural][metadata["namespace"], metadata["name"]] = manifest
        if what == "DELETED":
            del self._objects[plural][metadata["namespace"], metadata["name"]]
        line = json.dumps({"type": what, "object": manifest}).encode() + b"\n"
        self._events.append((self._version, plural, line))
        for watched, queue in self._watches:
            if watched == plural:
                queue.put_nowait(line)

    async def _watch(self, request: web.Request, plural: str) -> web.StreamResponse:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for number, kind, line in self._events:
            if kind == plural and number > int(request.query["resourceVersion"]):
                queue.put_nowait(line)
        self._watches.append((plural, queue))
        response = web.StreamResponse()
        await response.prepare(request)
        while event := await queue.get():
            await response.write(event)
        return response
