"""One gateway in one process: routes, engine and server, from start to an end in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from typing import Any

from modelyard.gateway.engine import About, Engine
from modelyard.gateway.routes import Routes
from modelyard.gateway.series import Report, Seen
from modelyard.gateway.settings import Settings
from modelyard.http1.host import Server

logger = logging.getLogger(__name__)

_LOOK_AT_IDLE = 1.0


class Gateway:
    """Made inside the event loop that it runs in."""

    def __init__(self, routes: Routes, settings: Settings, about: About) -> None:
        self.restarts = self.missed_beats = 0
        self.engine = Engine(routes, settings, about)
        self.server = Server(self.engine, settings.limits, tick=settings.tick)
        self._routes, self._settings = routes, settings
        self._ending = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether it takes requests, and knows where they lead."""
        return self.engine.ready and self._routes.synced.is_set() and self.server.listening.is_set()

    @property
    def ending(self) -> bool:
        """Whether it was told to end."""
        return self._ending.is_set()

    def report(self, *, known: bool = False) -> Report:
        """How it is at this moment; `known`: with the names of all models and versions."""
        report = self.engine.report(known=known)
        report.gauges["client_connections"] = len(self.server.connections)
        report.tally.counts["refused_connections"] = self.server.refused
        return report

    async def seen(self) -> Seen:
        """See Overseen: it is its only worker."""
        return Seen([self.report()])

    def end(self) -> None:
        """Begin to end; `serve` returns when all is done."""
        if not self._ending.is_set():
            self.engine.ready = False
            self._ending.set()

    async def serve(self, on: socket.socket, *, once_known: bool = False) -> None:
        """Answer on a bound socket until told to end, and then finish what is under way.

        `once_known`: take no connection before the routes are known, for there are others that take them meanwhile.
        """
        following = asyncio.create_task(self._routes.run())
        tidying = asyncio.create_task(self._tidy())
        ended: asyncio.Task[object] = asyncio.create_task(self._ending.wait())
        try:
            if once_known:
                await self._known(following, ended)
            if not (following.done() or ended.done()):
                await self.server.listen(on)
            gc.freeze()
            gc.set_threshold(50_000, 50, 50)
            await asyncio.wait((following, tidying, ended), return_when=asyncio.FIRST_COMPLETED)
            self.engine.ready = False
            await self._finish()
            for work in (following, tidying):
                if work.done():
                    work.result()
        finally:
            for task in (following, tidying, ended):
                task.cancel()
            await asyncio.gather(following, tidying, ended, return_exceptions=True)
            self.engine.lanes.close()

    async def _known(self, *ends: asyncio.Task[Any]) -> None:
        """Wait until the routes are known, or one of these is over."""
        synced = asyncio.create_task(self._routes.synced.wait())
        await asyncio.wait((synced, *ends), return_when=asyncio.FIRST_COMPLETED)
        synced.cancel()

    async def _finish(self) -> None:
        settings = self._settings
        self.server.draining = True
        await asyncio.sleep(settings.drain_seconds)
        await self.server.close(settings.grace_seconds)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_IDLE)
            self.engine.lanes.close_idle()
