"""A LIST in pages into the cache, ghosts removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelyard.api.kinds import Kind
from modelyard.kube.cache import Cache
from modelyard.kube.errors import Expired
from modelyard.kube.session import Session

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
    on_page: Callable[[], None] = lambda: None,
) -> str:
    """Make the cache hold what the server holds; the resourceVersion to watch from. Raises errors.ApiError.

    A list whose continuation expired half-way begins anew: parts of two lists make no whole. The last attempt asks
    for all at once. `on_page` is called whenever some of it has come.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await _list_once(session, cache, scope, page, on_page)
        except Expired:
            continue
    return await _list_once(session, cache, scope, 0, on_page)


async def _list_once(
    session: Session, cache: Cache, scope: Scope, page: int, on_page: Callable[[], None]
) -> str:
    seen: set[tuple[str, str]] = set()
    proceed = ""
    while True:
        limit = {"limit": str(page)} if page else {}
        params = {**scope.query, **limit, **({"continue": proceed} if proceed else {})}
        answer = await session.request("GET", scope.path, params=params)
        on_page()
        for item in answer.get("items") or ():
            metadata = item["metadata"]
            seen.add((metadata.get("namespace", ""), metadata["name"]))
            cache.put(scope.kind, item)
        proceed = answer["metadata"].get("continue", "")
        if not proceed:
            version = str(answer["metadata"]["resourceVersion"])
            cache.sweep(scope.kind, scope.namespace, seen, version)
            return version
