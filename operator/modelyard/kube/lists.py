"""A LIST in pages into the cache, ghosts removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf

from modelyard.api.kinds import Kind
from modelyard.kube.cache import Cache, as_number, is_before
from modelyard.kube.errors import Expired
from modelyard.kube.session import Session

logger = logging.getLogger(__name__)

PAGE = 100
OWN_PAGE = 50
"""Objects of our own kinds hold up to 192 KiB of files each: a larger page would be felt in memory."""

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """A collection to list and watch: a kind, in one namespace (None = all), with a label selector."""

    kind: Kind
    namespace: str | None = None
    selector: str = ""

    @property
    def path(self) -> str:
        """Path of the collection on the API server."""
        return self.kind.path(self.namespace)

    @property
    def query(self) -> dict[str, str]:
        """The query that selects it."""
        return {"labelSelector": self.selector} if self.selector else {}

    def __str__(self) -> str:
        return f"{self.kind.name} in {self.namespace or 'all namespaces'}"


async def list_into(
    session: Session,
    cache: Cache,
    scope: Scope,
    *,
    page: int = PAGE,
    known: str | None = None,
    on_page: Callable[[], None] = lambda: None,
) -> str:
    """Make the cache hold what the server holds; the resourceVersion to watch from. Raises errors.ApiError.

    A list whose continuation expired half-way begins anew: parts of two lists make no whole. The last attempt asks
    for all at once. `on_page` is called whenever some of it has come. A list from before the version that was `known`
    to the watch comes from a server that was set back to a backup.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await _list_once(session, cache, scope, page, known, on_page)
        except Expired:
            continue
    return await _list_once(session, cache, scope, 0, known, on_page)


async def _list_once(
    session: Session, cache: Cache, scope: Scope, page: int, known: str | None, on_page: Callable[[], None]
) -> str:
    seen: set[tuple[str, str]] = set()
    proceed = ""
    while True:
        limit = {"limit": str(page)} if page else {}
        params = {**scope.query, **limit, **({"continue": proceed} if proceed else {})}
        answer = await session.request("GET", scope.path, params=params)
        on_page()
        version = str(answer["metadata"]["resourceVersion"])
        set_back = is_before(version, known)
        if set_back and not seen:
            cache.forget_deletions(scope.kind, scope.namespace)
        as_of = inf if set_back else as_number(version)
        for item in answer.get("items") or ():
            metadata = item["metadata"]
            seen.add((metadata.get("namespace", ""), metadata["name"]))
            cache.put(scope.kind, item, as_of=as_of)
        proceed = answer["metadata"].get("continue", "")
        if not proceed:
            _end(cache, scope, seen, version, set_back=set_back)
            return version


def _end(
    cache: Cache, scope: Scope, seen: Collection[tuple[str, str]], version: str, *, set_back: bool
) -> None:
    gone = cache.sweep(scope.kind, scope.namespace, seen, version, set_back=set_back)
    if set_back:
        logger.warning(
            "The API server was set back to an earlier state, and so is what is known of it",
            extra={"scope": str(scope), "version": version, "gone": gone},
        )
