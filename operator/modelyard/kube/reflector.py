"""Keeps the cache true to one collection of the API server: list, then watch, for ever.

list --> watch -- its time is over, or silence --> watch again from where it ended
  ^        |----- trouble: wait (back-off) ------> watch again from where it ended
  +--------+----- 410: what we know is too old
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from modelyard.kube.backoff import Backoff, Dice
from modelyard.kube.cache import Cache, is_before
from modelyard.kube.errors import ApiError, Expired, Unavailable, from_status
from modelyard.kube.lists import PAGE, Scope, list_into
from modelyard.kube.session import Session, Silent
from modelyard.kube.trouble import Trouble

logger = logging.getLogger(__name__)


_MUTE_WATCHES = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. The server sends a bookmark every minute, so a watch silent for `silence` is probably broken.

    Probably: an API server before an old etcd sends none for a kind that nothing ever happened to.
    """

    watch: int = 290
    silence: float = 90.0
    shortest_watch: float = 1.0
    backoff: Backoff = field(default_factory=lambda: Backoff(base=0.5, cap=30.0))

    @property
    def stuck_after(self) -> float:
        """No sign of life for this long, not even a failed try: the reflector itself hangs."""
        return 2 * self.silence + self.backoff.cap


class Reflector:
    """One collection. `run()` never returns; `synced` is set after the first complete list."""

    def __init__(
        self,
        session: Session,
        cache: Cache,
        scope: Scope,
        *,
        page: int = PAGE,
        timing: Timing | None = None,
        on_restart: Callable[[Scope], None] = lambda scope: None,
        dice: Dice = random.random,
    ) -> None:
        self.scope = scope
        self.synced = asyncio.Event()
        self.timing = timing or Timing()
        self._session, self._cache, self._page = session, cache, page
        self._on_restart, self._dice = on_restart, dice
        self._version: str | None = None
        self._known: str | None = None
        """The version at which the last watch ended, also when the next one cannot go on from it."""

        self._mute = 0
        """Watches in a row that began, and brought nothing."""

        self._trouble = Trouble(logger, "Watch", str(scope))
        self._alive_at = _now()

    def silent_for(self) -> float:
        """Seconds since the last sign of life: an answer, an event, a bookmark, or a failed try."""
        return _now() - self._alive_at

    async def run(self) -> None:
        """List and watch until cancelled; trouble with the API server is logged and retried."""
        while True:
            self._alive_at, asked = _now(), 0.0
            try:
                await self._list_and_watch()
            except Expired:
                self._version = None
                self._trouble.count += 1
            except Silent as silence:
                self._fell_silent(silence)
            except ApiError as error:
                self._trouble.add(error)
                asked = max(asked, getattr(error, "retry_after", None) or 0.0)
            self._on_restart(self.scope)
            if self._trouble.count:
                delay = self.timing.backoff.delay(self._trouble.count, self._dice)
                await asyncio.sleep(max(delay, min(asked, self.timing.backoff.cap)))

    def _fell_silent(self, silence: Silent) -> None:
        """Nothing may have happened, or something between keeps what does: after a few times, a list tells."""
        logger.debug("Watch begins anew", extra={"scope": str(self.scope), "reason": str(silence)})
        self._mute += 1
        if self._mute >= _MUTE_WATCHES:
            self._mute, self._version = 0, None

    async def _list_and_watch(self) -> None:
        if self._version is None:
            self._version = self._known = await list_into(
                self._session,
                self._cache,
                self.scope,
                page=self._page,
                known=self._known,
                on_page=self._show_life,
            )
            self.synced.set()
        started = _now()
        await self._watch(self._version)
        if _now() - started < self.timing.shortest_watch:
            raise Unavailable(f"watch {self.scope}: the server ended it at once")
        self._trouble.end()

    async def _watch(self, version: str) -> None:
        params = {
            **self.scope.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(round(self.timing.watch * (0.75 + self._dice() / 4))),
        }
        silence = self.timing.silence
        async with self._session.stream(self.scope.path, params=params, silence=silence) as lines:
            async for line in lines:
                self._show_life()
                self._mute = 0
                self._take(line)

    def _show_life(self) -> None:
        self._alive_at = _now()

    def _take(self, line: bytes) -> None:
        """One event. What was taken is never asked for again: the version moves on with it."""
        try:
            event = orjson.loads(line)
            what, found = event["type"], event["object"]
        except orjson.JSONDecodeError:
            raise Unavailable(f"watch {self.scope}: the connection broke in the middle of an event") from None
        except (KeyError, TypeError):
            raise Unavailable(f"watch {self.scope}: what came is no event") from None
        if what == "ERROR":
            raise from_status(f"watch {self.scope}", int(found.get("code") or 500), found)
        version = found["metadata"]["resourceVersion"]
        if is_before(version, self._known):
            raise Expired(f"watch {self.scope}: it tells of what was before; the server was set back")
        if what == "DELETED":
            self._cache.remove(self.scope.kind, found)
        elif what != "BOOKMARK":
            self._cache.put(self.scope.kind, found)
        self._version = self._known = version
        self._trouble.end()


def _now() -> float:
    return asyncio.get_running_loop().time()
