"""Lists one collection at the start, every so often, and when asked.

For kinds whose watch is not ours: the event engine sends no event for an object that vanished while its watch
was broken, and does not say when its first list is complete. These lists do both.
"""

from __future__ import annotations

import asyncio
import logging
import random

from modelyard.kube.backoff import Backoff, Dice
from modelyard.kube.cache import Cache
from modelyard.kube.errors import ApiError
from modelyard.kube.lists import Scope, list_into
from modelyard.kube.session import Session
from modelyard.kube.trouble import Trouble

logger = logging.getLogger(__name__)

EVERY = 600.0
OWN_PAGE = 50
"""Objects of our own kinds hold up to 192 KiB of files each: a larger page would be felt in memory."""

SETTLE = 1.0
"""Seconds from being asked to listing: several requests to list become one list."""


class Relist:
    """One collection. `run()` never returns; `synced` is set after the first complete list."""

    def __init__(
        self,
        session: Session,
        cache: Cache,
        scope: Scope,
        *,
        every: float = EVERY,
        settle: float = SETTLE,
        backoff: Backoff | None = None,
        dice: Dice = random.random,
    ) -> None:
        self.scope = scope
        self.synced = asyncio.Event()
        self._session, self._cache = session, cache
        self._every, self._settle, self._dice = every, settle, dice
        self._backoff = backoff or Backoff(base=0.5, cap=30.0)
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """List soon."""
        self._asked.set()

    async def run(self) -> None:
        """List until cancelled; trouble with the API server is logged and retried."""
        trouble = Trouble(logger, "List", str(self.scope))
        while True:
            try:
                await list_into(self._session, self._cache, self.scope, page=OWN_PAGE)
            except ApiError as error:
                trouble.add(error)
                await asyncio.sleep(self._backoff.delay(trouble.count, self._dice))
                continue
            trouble.end()
            self.synced.set()
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._every * (0.8 + self._dice() * 0.4)):
                await self._asked.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._settle)
        self._asked.clear()
