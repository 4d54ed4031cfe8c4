"""The event engine: kopf watches our own kinds and brings what it sees into the cache. Nothing else knows kopf.

Of kopf we use `on.event` alone. It keeps no state: no annotation, no finalizer, no Event, no peering. It runs in
our event loop with an HTTP session of ours, so that its requests are authorized and counted like all others, and
so that we see what it does not tell: that it begins a watch (a sign of life) or lists anew (then we list too,
for the ghosts).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import kopf

from modelyard.api.kinds import OWN_KINDS, Kind
from modelyard.handlers.observers import both
from modelyard.kube.access import Access
from modelyard.kube.backoff import Backoff
from modelyard.kube.cache import Cache
from modelyard.kube.lists import Scope
from modelyard.kube.relist import OWN_PAGE
from modelyard.kube.requests import Request
from modelyard.kube.session import Observer, open_http

logger = logging.getLogger(__name__)

WATCH_SECONDS = 290.0
SILENCE_SECONDS = 90.0
"""The server sends a bookmark every minute."""

STUCK_AFTER = WATCH_SECONDS + 2 * SILENCE_SECONDS
"""Seconds without a new watch request after which a watch of the engine hangs."""

_BACKOFF = Backoff(base=0.5, cap=30.0)
_NO_FINALIZER = "modelyard.dev/no-finalizer"
_IDENTITY: Any = "modelyard"
"""Without one, kopf looks up the user's name, which a uid in a container does not have."""


class WatchEngineFailed(Exception):
    """The event engine ended; without it the operator is blind."""


class Activity:
    """What the engine is seen to do, by its requests: when each watch last began; calls back at each list."""

    def __init__(self, on_list: Callable[[Scope], None], clock: Callable[[], float]) -> None:
        self._on_list, self._clock = on_list, clock
        self._began: dict[Scope, float] = {}

    def __call__(self, request: Request, code: int | None, seconds: float) -> None:
        """An observer of the engine's HTTP session."""
        if request.kind not in OWN_KINDS or code is not None:
            return
        scope = Scope(request.kind, request.namespace or None)
        if request.verb == "list":
            self._on_list(scope)
        if request.verb in ("list", "watch"):
            self._began[scope] = self._clock()

    def silent_for(self, scope: Scope) -> float | None:
        """Seconds since a list or watch last began; None before the first."""
        began = self._began.get(scope)
        return None if began is None else self._clock() - began


class Engine:
    """kopf, watching our own kinds in these namespaces (none = all)."""

    def __init__(
        self,
        access: Access,
        cache: Cache,
        namespaces: Iterable[str],
        *,
        activity: Activity,
        observe: Observer,
    ) -> None:
        self._namespaces = tuple(namespaces)
        self._registry = kopf.OperatorRegistry()
        _watch_into(self._registry, cache)
        _log_in_with(self._registry, access, both(activity, observe))

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Watch until cancelled. Raises WatchEngineFailed as soon as any part of the engine ends.

        `started` is called once the engine runs; kopf has set its own signal handlers by then.
        """
        tasks = await kopf.spawn_tasks(
            registry=self._registry,
            settings=_engine_settings(),
            identity=_IDENTITY,
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
        )
        started()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            raise _failure(next(iter(done)))
        finally:
            await _stop(tasks)


def _watch_into(registry: kopf.OperatorRegistry, cache: Cache) -> None:
    for kind in OWN_KINDS:
        on_event = kopf.on.event(
            group=kind.group, version=kind.version, plural=kind.plural, id=kind.plural, registry=registry
        )
        on_event(_handler(kind, cache))


def _handler(kind: Kind, cache: Cache) -> Any:
    async def take(event: Mapping[str, Any], **_: Any) -> None:
        if event["type"] == "DELETED":
            cache.remove(kind, event["object"])
        else:
            cache.put(kind, event["object"])

    return take


def _log_in_with(registry: kopf.OperatorRegistry, access: Access, observe: Observer) -> None:
    """kopf asks anew, and closes the session that it had, when the API server says 401."""
    logins = 0

    async def login(**_: Any) -> kopf.AiohttpSession:
        nonlocal logins
        if logins:
            logger.warning("The API server refused our credentials; trying again")
            await asyncio.sleep(_BACKOFF.delay(logins, random.random))
        logins += 1
        return kopf.AiohttpSession(server=access.server, aiohttp_session=open_http(access, observe))

    kopf.on.login(id="modelyard", registry=registry)(login)


def _engine_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = round(WATCH_SECONDS)
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.watching.chunk_size = OWN_PAGE
    settings.networking.error_backoffs = _Endless()
    settings.process.ultimate_exiting_timeout = None
    settings.persistence.finalizer = _NO_FINALIZER
    settings.persistence.diffbase_storage = _NoDiffBase()
    return settings


class _Endless:
    """Delays that never end: an API server that is away for an hour is no reason to give up."""

    def __iter__(self) -> Iterator[float]:
        failures = 0
        while True:
            failures += 1
            yield _BACKOFF.delay(failures, random.random)


class _NoDiffBase(kopf.DiffBaseStorage):
    """Keeps nothing on the object and compares nothing: our passes are level-triggered."""

    def build(self, **_: Any) -> Any:
        """Nothing to compare."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Nothing was kept."""

    def store(self, **_: Any) -> None:
        """Keep nothing."""


def _failure(task: asyncio.Task[Any] | asyncio.Future[Any]) -> WatchEngineFailed:
    error = None if task.cancelled() else task.exception()
    failure = WatchEngineFailed(f"the event engine ended: {error or 'no reason given'}")
    failure.__cause__ = error
    return failure


async def _stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    stopping = list(tasks)
    for task in stopping:
        task.cancel()
    await asyncio.gather(*stopping, return_exceptions=True)
