"""A few pages that are made when they are asked for: probes and metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from modelyard.http1.exchange import FAILED, Exchange

logger = logging.getLogger(__name__)

TEXT: Final = b"text/plain; charset=utf-8"
EXPOSITION: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Page(NamedTuple):
    """What is answered."""

    status: int
    body: bytes
    content_type: bytes = TEXT


class Pages:
    """The Handler of pages by their paths."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Page]]]) -> None:
        self._pages = {path.encode(): page for path, page in pages.items()}
        self._known = "there are " + ", ".join(pages)
        self._tasks: set[asyncio.Task[None]] = set()

    def head(self, exchange: Exchange) -> None:
        """See Handler."""
        exchange.discard = True

    def complete(self, exchange: Exchange) -> None:
        """See Handler."""
        page = self._pages.get(exchange.target.partition(b"?")[0])
        if page is None:
            _answer(exchange, Page(404, self._known.encode()))
        elif exchange.method not in (b"GET", b"HEAD"):
            _answer(exchange, Page(405, b"GET it"), b"Allow: GET, HEAD\r\n")
        else:
            task = asyncio.get_running_loop().create_task(_made(exchange, page))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def refuse(self, exchange: Exchange, status: int, message: str) -> None:
        """See Handler."""
        _answer(exchange, Page(status, message.encode()))

    def expired(self, exchange: Exchange) -> None:
        """See Handler."""

    def gone(self, exchange: Exchange) -> None:
        """See Handler."""


async def _made(exchange: Exchange, page: Callable[[], Awaitable[Page]]) -> None:
    try:
        _answer(exchange, await page())
    except Exception:
        logger.exception("A page could not be made", extra=exchange.described)
        _answer(exchange, Page(500, FAILED.encode()))


def _answer(exchange: Exchange, page: Page, more: bytes = b"") -> None:
    exchange.answer(page.status, b"Content-Type: %b\r\n%b" % (page.content_type, more), page.body)
