"""Waiting for something that other tasks bring about; the one place where tests poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within: float = 5.0) -> None:
    """Return as soon as the condition holds; TimeoutError when it does not in so many seconds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - any condition, not one that can set an event
            await asyncio.sleep(0.005)
