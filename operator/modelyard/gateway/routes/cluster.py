"""Routes from the cluster: Services and EndpointSlices of ours are watched, and a change makes another table.

Only the models that something happened to are looked at again; what arrived together is published together.
While the API server is away the table stays as it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import ENDPOINT_SLICE, SERVICE, Kind
from modelyard.gateway.route import Model, Table
from modelyard.gateway.routes.board import Board
from modelyard.gateway.routes.services import in_step, lean, model_of, unreadable
from modelyard.kube.access import Access
from modelyard.kube.cache import NEVER, Cache
from modelyard.kube.cluster import Manifest
from modelyard.kube.lists import Scope
from modelyard.kube.reflector import Reflector
from modelyard.kube.session import Session

logger = logging.getLogger(__name__)

_OURS = f"{labels.MANAGED_BY}={labels.MANAGED_BY_VALUE}"
_Key = tuple[str, str]
"""Namespace and name of a model."""


class _LeanCache(Cache):
    """Keeps of an object what routes are made of."""

    def put(
        self, kind: Kind, manifest: Mapping[str, Any], *, stands: bool = False, as_of: float = NEVER
    ) -> bool:
        """See Cache."""
        return super().put(kind, lean(manifest), stands=stands, as_of=as_of)


class ClusterRoutes(Board):
    """The routes of all models of these namespaces (none named: of the cluster). Make it inside its event loop."""

    def __init__(
        self, access: Access, *, namespaces: tuple[str, ...] = (), default_namespace: str | None = None
    ) -> None:
        super().__init__(Table({}, default_namespace))
        self._access = access
        self._scopes = [
            Scope(kind, namespace, _OURS)
            for kind in (SERVICE, ENDPOINT_SLICE)
            for namespace in namespaces or (None,)
        ]
        self._cache = _LeanCache()
        self._changed: set[_Key] = set()
        self._unreadable: dict[_Key, list[str]] = {}
        """Services whose routes are none, by model; of a model that cannot be read at all, none is named."""

        self._cache.listen(self._note)

    async def run(self) -> None:
        """List, watch and publish until cancelled; trouble with the API server is logged and retried."""
        session = Session(self._access)
        reflectors = [Reflector(session, self._cache, scope) for scope in self._scopes]
        try:
            async with asyncio.TaskGroup() as group:
                for reflector in reflectors:
                    group.create_task(reflector.run(), name=f"watch of {reflector.scope}")
                for reflector in reflectors:
                    await reflector.synced.wait()
                self._publish(first=True)
                logger.info("Routes listed", extra={"models": len(self.table.models)})
        finally:
            await session.close()

    def _note(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        """Something of a model changed. What comes in the same breath is published with it."""
        if self.synced.is_set() and not self._changed:
            asyncio.get_running_loop().call_soon(self._publish)
        self._changed.update((namespace, model) for model in _models(old, new))

    def _publish(self, *, first: bool = False) -> None:
        """The next table, if it is another one: models that are as they were stay the same objects."""
        models, changed = dict(self.table.models), self._changed
        self._changed = set()
        different = [self._renew(models, key) for key in changed]
        self.unreadable = len(self._unreadable)
        if first or any(different):
            self.publish(Table(models, self.table.default_namespace))

    def _renew(self, models: dict[_Key, Model], key: _Key) -> bool:
        """Look at one model again; whether it is another now. One that cannot be read is nobody else's trouble."""
        try:
            model = self._read(*key, models.get(key))
        except Exception:
            logger.exception(
                "A model cannot be read; its routes stay as they were",
                extra={"namespace": key[0], "model": key[1]},
            )
            self._unreadable[key] = []
            return False
        if model == models.get(key):
            return False
        if model is None:
            del models[key]
        else:
            models[key] = model
        return True

    def _read(self, namespace: str, name: str, before: Model | None) -> Model | None:
        having = {labels.OF_MODEL: name}
        services = self._cache.select(SERVICE, namespace, having)
        self._note_unreadable((namespace, name), unreadable(services))
        now = model_of(namespace, name, services, self._cache.select(ENDPOINT_SLICE, namespace, having))
        return None if now is None else in_step(before, now)

    def _note_unreadable(self, key: _Key, services: list[str]) -> None:
        """Count the model, and say once that routes of it are left out."""
        before = self._unreadable.pop(key, None)
        if services:
            self._unreadable[key] = services
            if services != before:
                logger.error(
                    "Routes cannot be read; the gateway leaves them out",
                    extra={"namespace": key[0], "model": key[1], "services": services},
                )


def _models(*states: Manifest | None) -> Iterable[str]:
    """The models that an object was or is of."""
    for state in states:
        if state is not None and labels.OF_MODEL in state["metadata"]["labels"]:
            yield state["metadata"]["labels"][labels.OF_MODEL]
