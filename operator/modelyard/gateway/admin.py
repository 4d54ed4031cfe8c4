"""/healthz, /readyz and /metrics of a gateway, on a port of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from modelyard.gateway.exposition import exposition
from modelyard.gateway.series import Report, Tally
from modelyard.http1.exchange import Exchange

logger = logging.getLogger(__name__)

_TEXT = b"Content-Type: text/plain; charset=utf-8\r\n"
_EXPOSITION = b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"


class Overseen(Protocol):
    """Whose probes these are."""

    @property
    def ending(self) -> bool:
        """Whether it was told to end."""

    @property
    def gone(self) -> Tally:
        """What workers counted that are no more."""

    @property
    def restarts(self) -> int:
        """How often a worker was started again."""

    async def reports(self) -> list[Report]:
        """One of each worker that answers."""


class AdminHandler:
    """The Handler of the probes."""

    def __init__(self, overseen: Overseen) -> None:
        self._overseen = overseen
        self._tasks: set[asyncio.Task[None]] = set()
        self._pages: dict[bytes, Callable[[], Awaitable[tuple[int, bytes, bytes]]]] = {
            b"/healthz": self._healthz,
            b"/readyz": self._readyz,
            b"/metrics": self._metrics,
        }

    def head(self, exchange: Exchange) -> None:
        """See Handler."""
        exchange.discard = True

    def complete(self, exchange: Exchange) -> None:
        """See Handler."""
        page = self._pages.get(exchange.target.partition(b"?")[0])
        if page is None:
            exchange.answer(404, _TEXT, b"there are /healthz, /readyz and /metrics")
        elif exchange.method not in (b"GET", b"HEAD"):
            exchange.answer(405, _TEXT + b"Allow: GET, HEAD\r\n", b"GET it")
        else:
            task = asyncio.get_running_loop().create_task(_told(exchange, page))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def refuse(self, exchange: Exchange, status: int, message: str) -> None:
        """See Handler."""
        exchange.answer(status, _TEXT, message.encode())

    def expired(self, exchange: Exchange) -> None:
        """See Handler."""

    def gone(self, exchange: Exchange) -> None:
        """See Handler."""

    async def _healthz(self) -> tuple[int, bytes, bytes]:
        return 200, _TEXT, b"ok"

    async def _readyz(self) -> tuple[int, bytes, bytes]:
        if self._overseen.ending:
            return 503, _TEXT, b"the gateway is about to end"
        if not any(report.ready for report in await self._overseen.reports()):
            return 503, _TEXT, b"the routes are not known yet"
        return 200, _TEXT, b"ok"

    async def _metrics(self) -> tuple[int, bytes, bytes]:
        reports = await self._overseen.reports()
        return 200, _EXPOSITION, exposition(reports, self._overseen.gone, self._overseen.restarts)


async def _told(exchange: Exchange, page: Callable[[], Awaitable[tuple[int, bytes, bytes]]]) -> None:
    try:
        exchange.answer(*await page())
    except Exception:
        logger.exception("A probe could not be answered")
        exchange.answer(500, _TEXT, b"the gateway failed; its log says why")
