"""The real cluster: reads from the cache, writes to the API server, each answer back into the cache."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from modelyard.api.kinds import EVENT, NETWORK_POLICY, POD, Kind, kind_of
from modelyard.api.labels import FIELD_MANAGER
from modelyard.kube.cache import Cache
from modelyard.kube.cluster import LOG_TIMEOUT, Manifest
from modelyard.kube.drift import Agreed, has_drifted, is_same_status, stamped
from modelyard.kube.errors import AlreadyExists, ApiError, Conflict, NotFound, Unavailable
from modelyard.kube.events import Note, Recorded, event
from modelyard.kube.ownership import obstacle
from modelyard.kube.session import APPLY

logger = logging.getLogger(__name__)

_MANAGER = {"fieldManager": FIELD_MANAGER}
_FORCED = {**_MANAGER, "force": "true"}
_NEVER = "1"
"""A resourceVersion that no object has: etcd's first write is its revision 2."""

_EVENT_TIMEOUT = 5.0
_STATUS_ATTEMPTS = 3


class Api(Protocol):
    """The part of `kube.session.Session` that is used here."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        """The parsed answer. Raises errors.ApiError."""
        ...

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        """The first bytes of an answer that is text. Raises errors.ApiError."""
        ...


class LiveCluster:
    """Implements `kube.cluster.Cluster`. What it returns from the cache is shared: never write into it."""

    def __init__(
        self, api: Api, cache: Cache, *, now: Callable[[], datetime], instance: str = "modelyard"
    ) -> None:
        self._api, self._cache = api, cache
        self._now, self._instance = now, instance
        self._recorded, self._agreed = Recorded(), Agreed()
        self._closed = False

    def close(self) -> None:
        """Refuse every further write with errors.Unavailable; reads go on."""
        self._closed = True

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See `Cluster.get`."""
        return self._cache.get(kind, namespace, name)

    def referring(self, kind: Kind, namespace: str, reference: str, name: str) -> list[Manifest]:
        """See `Cluster.referring`."""
        return self._cache.referring(kind, namespace, reference, name)

    def list(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """See `Cluster.list`."""
        return self._cache.select(kind, namespace, labels)

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See `Cluster.read`."""
        try:
            return await self._api.request("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def log(
        self, namespace: str, pod: str, container: str, *, limit_bytes: int, seconds: float = LOG_TIMEOUT
    ) -> str | None:
        """See `Cluster.log`."""
        params = {"container": container, "limitBytes": str(limit_bytes)}
        path = POD.path(namespace, pod, "log")
        try:
            return await self._api.text(path, params=params, limit=limit_bytes, seconds=seconds)
        except NotFound:
            return None

    async def apply(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`. Raises errors.Conflict while an earlier owner's child is being collected."""
        kind, namespace, name = _place(manifest)
        desired = stamped(manifest)
        live = self._cache.get(kind, namespace, name)
        if live is None:
            try:
                return await self._apply(kind, desired, _if_absent(desired))
            except Conflict:
                live = await self._read_into_cache(kind, namespace, name, desired)
                if live is None:
                    raise  # it is gone by now, or it was a conflict over something else: try again later
        hindrance = obstacle(live, desired)
        if hindrance is not None:
            raise hindrance
        if self._agreed.holds(live, desired) or not has_drifted(live, desired):
            self._agreed.add(live, desired)
            return live
        return await self._apply(kind, desired, desired)

    async def apply_each(self, manifests: Sequence[Manifest]) -> Sequence[ApiError | None]:
        """See `Cluster.apply_each`."""
        ended = await asyncio.gather(*map(self.apply, manifests), return_exceptions=True)
        errors = [error if isinstance(error, BaseException) else None for error in ended]
        for error in errors:
            if error is not None and not isinstance(error, ApiError):
                raise error
        return [error for error in errors if error is None or isinstance(error, ApiError)]

    async def _apply(self, kind: Kind, desired: Manifest, body: Manifest) -> Manifest:
        """Apply; what comes of it is not fought over, but a wall that is not the one we sent is told of."""
        _, namespace, name = _place(desired)
        answer = await self._write("PATCH", kind, namespace, name, body=body, params=_FORCED)
        self._agreed.add(answer, desired)
        if kind == NETWORK_POLICY and has_drifted(answer, desired):
            logger.warning("The API server keeps another policy than was applied", extra={"object": name})
        return answer

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        kind, namespace, _ = _place(manifest)
        return await self._write("POST", kind, namespace, body=manifest, params=_MANAGER)

    async def replace(self, manifest: Manifest) -> Manifest:
        """See `Cluster.replace`."""
        kind, namespace, name = _place(manifest)
        if not manifest["metadata"].get("resourceVersion"):
            raise ValueError("replace needs metadata.resourceVersion as its precondition")
        return await self._write("PUT", kind, namespace, name, body=manifest, params=_MANAGER)

    async def apply_status(self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """See `Cluster.apply_status`.

        The version is a precondition, so that an object that was made again under the same name never gets the
        status of the one before it (a uid is no precondition there). Other changes of the object meanwhile do not
        matter: mostly the watch has told of them when the refusal comes. Raises errors.Conflict when they do not end.
        """
        known = self._cache.get(kind, namespace, name)
        if known is None or is_same_status(known.get("status"), status):
            return
        uid, version = known["metadata"]["uid"], known["metadata"]["resourceVersion"]
        for attempt in range(_STATUS_ATTEMPTS):
            try:
                return await self._write_status(kind, namespace, name, version, status)
            except Conflict as error:
                conflict = error
            live = self._cache.get(kind, namespace, name) if attempt == 0 else None
            if live is None or live["metadata"]["resourceVersion"] == version:
                live = await self.read(kind, namespace, name)
            if live is None or live["metadata"]["uid"] != uid:
                return
            version = live["metadata"]["resourceVersion"]
        raise conflict

    async def _write_status(
        self, kind: Kind, namespace: str, name: str, version: str, status: Mapping[str, Any]
    ) -> None:
        metadata = {"name": name, "namespace": namespace, "resourceVersion": version}
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "status": status}
        try:
            await self._write("PATCH", kind, namespace, name, "status", body=body, params=_FORCED)
        except NotFound:
            logger.debug("Status not written: the object is gone")

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        """See `Cluster.delete`. Raises errors.Conflict where this very object stands and may not be deleted now."""
        self._check_open()
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        try:
            answer = await self._api.request("DELETE", kind.path(namespace, name), body=options)
        except NotFound:
            answer = {}
        except Conflict:
            live = await self.read(kind, namespace, name)
            if live is not None and live["metadata"]["uid"] == uid:
                raise  # it stands, and something else is in the way: try again later
            answer = {}
        else:
            _log("DELETE", kind, name)
        if answer.get("metadata", {}).get("deletionTimestamp"):
            self._cache.put(kind, answer)  # it goes when its finalizers or its containers have ended
        else:
            self._cache.forget(kind, namespace, name, uid)

    async def event(
        self, about: Manifest, *, reason: str, message: str, type: Literal["Normal", "Warning"] = "Normal"
    ) -> None:
        """See `Cluster.event`."""
        body = event(about, Note(reason, message, type), now=self._now(), instance=self._instance)
        place = body["metadata"]
        if self._closed or not self._recorded.add(place["namespace"], place["name"]):
            return
        try:
            async with asyncio.timeout(_EVENT_TIMEOUT):
                await self._api.request("POST", EVENT.path(place["namespace"]), body=body, params=_MANAGER)
        except AlreadyExists:
            logger.debug("Event was recorded by an earlier process")
        except (ApiError, TimeoutError) as error:
            logger.warning("Event not recorded", extra={"event": reason, "reason": str(error)})

    async def _read_into_cache(
        self, kind: Kind, namespace: str, name: str, desired: Manifest
    ) -> Manifest | None:
        """What stands where a child not in the cache was to go. Others' objects are not cached."""
        live = await self.read(kind, namespace, name)
        if live is not None and obstacle(live, desired) is None:
            self._cache.put(kind, live, stands=True)
        return live

    async def _write(
        self,
        method: str,
        kind: Kind,
        *where: str,
        body: Mapping[str, Any],
        params: Mapping[str, str],
    ) -> Manifest:
        self._check_open()
        answer = await self._api.request(
            method,
            kind.path(*where),
            params=params,
            body=body,
            content_type=APPLY if method == "PATCH" else "application/json",
        )
        self._cache.put(kind, answer)
        _log(method, kind, body["metadata"]["name"], *where[2:])
        return answer

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the operator is shutting down")


def _if_absent(manifest: Manifest) -> Manifest:
    """An apply that creates, and is a Conflict where an object of that name exists: what exists has a version."""
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": _NEVER}}


def _log(method: str, kind: Kind, *name: str) -> None:
    """One line for each change of the cluster."""
    logger.info("Wrote", extra={"verb": method.lower(), "object": f"{kind.name} {'/'.join(name)}"})


def _place(manifest: Manifest) -> tuple[Kind, str, str]:
    metadata = manifest["metadata"]
    return kind_of(manifest["apiVersion"], manifest["kind"]), metadata["namespace"], metadata["name"]
