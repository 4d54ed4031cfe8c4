"""The API server of a world, whichever stands behind it: `fake_api.FakeApi` or `real_api.RealApi`.

It stands where `kube.session.Session` stands, so that everything above it is the real thing: LiveCluster,
cache, drift, ownership. What both share is here: the operator's requests, what users and controllers ask for,
a mirror of all objects, news for watchers, a log of all writes, and the collector of what a deleted owner
owned. What an API server does with a write (merge, defaults, generation, conflicts, refusals) is the backend's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson

from modelyard.api.kinds import ALL_KINDS, POD, Kind
from modelyard.kube.errors import NotFound

Manifest = dict[str, Any]
T = TypeVar("T")
Address = tuple[Kind, str, str]

Now = Callable[[], datetime]
Turn = Callable[[], Awaitable[None]]
Watcher = Callable[[Kind, str, Manifest, Manifest | None], None]
"""Called with (kind, event, object, the object before) after each write."""

_PLURALS = {(kind.group, kind.version, kind.plural): kind for kind in ALL_KINDS}


def copied(value: T) -> T:
    """A copy of JSON; an order of magnitude faster than `copy.deepcopy`."""
    copy: T = orjson.loads(orjson.dumps(value))
    return copy


@dataclass(frozen=True, slots=True)
class Write:
    """One change of the store, by whom it was asked for."""

    actor: str
    verb: str
    kind: str
    name: str
    before: Manifest | None
    after: Manifest | None
    subresource: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        what = f"{self.kind} {self.name}"
        return f"{self.verb} {what}{'/' + self.subresource if self.subresource else ''}"


class WorldApi(ABC):
    """A mirror of the objects, and the requests that the operator and others make."""

    def __init__(self, now: Now, turn: Turn) -> None:
        self._now, self._turn = now, turn
        self.objects: dict[Address, Manifest] = {}
        self.writes: list[Write] = []
        self.actor = "operator"
        self.version = 100
        self._born = 0
        self.watchers: list[Watcher] = []
        self.before_write: Callable[[str, str, Kind, str], None] | None = None
        self.after_write: Callable[[Write], None] | None = None
        self.logs: dict[tuple[str, str, str], str] = {}
        """What containers printed, by namespace, pod and container: there is no kubelet to ask."""

        self.collector_is_late = False
        """While true, what a deleted owner owned stays; `collect` makes up for it."""

    # --- what a backend does ---------------------------------------------------------------------------

    @abstractmethod
    def _post(self, address: Address, sent: Manifest) -> Manifest:
        """Create; the object as it is now. AlreadyExists, Invalid."""

    @abstractmethod
    def _put(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        """Replace under the precondition of metadata.resourceVersion. Conflict, Invalid, NotFound."""

    @abstractmethod
    def _patch(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        """Server-side apply by force. Conflict, Invalid; NotFound for a subresource."""

    @abstractmethod
    def _erase(self, address: Address, uid: str | None) -> Manifest | None:
        """Delete what the mirror still has; the object if finalizers keep it. Conflict if the uid is another's."""

    @abstractmethod
    def fill_from(self, other: WorldApi) -> None:
        """Hold what another one of the same backend holds."""

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """A copy of an object; NotFound."""
        found = self.objects.get((kind, namespace, name))
        if found is None:
            raise NotFound(f"{kind.plural} {name!r} not found")
        return copied(found)

    # --- the operator's side: the signature of kube.session.Session.request -----------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        """One request. Others may come before it, and before its answer is seen."""
        await self._turn()
        answer = self._answer(method, path, body)
        await self._turn()
        return answer

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        """The log of a container, as `kube.session.Session.text` reads it."""
        await self._turn()
        kind, namespace, pod, subresource = _parse(path)
        assert (kind, subresource) == (POD, "log"), path
        self.get(kind, namespace, pod)
        log = self.logs.get((namespace, pod, params["container"]), "")
        return log.encode()[:limit].decode("utf-8", "replace")

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Manifest:
        kind, namespace, name, subresource = _parse(path)
        if method == "GET":
            return self.get(kind, namespace, name) if name else self._list(kind, namespace)
        if self.before_write:
            self.before_write(method, path, kind, name or str((body or {})["metadata"]["name"]))
        address, sent = (kind, namespace, name), copied(dict(body or {}))
        match method:
            case "POST":
                return self.create(kind, sent)
            case "PUT":
                return self._recorded("replace", address, self._put(address, sent))
            case "PATCH":
                return self._recorded("apply", address, self._patch(address, sent, subresource), subresource)
            case "DELETE":
                return self._delete(address, sent.get("preconditions", {}).get("uid"))
            case _:
                raise AssertionError(f"{method} is not spoken here")

    def _list(self, kind: Kind, namespace: str | None) -> Manifest:
        found = [
            m for (k, ns, _), m in sorted(self.objects.items(), key=_order) if k == kind and ns == namespace
        ]
        return {"items": copied(found), "metadata": {"resourceVersion": str(self.version)}}

    # --- the side of users and controllers -------------------------------------------------------------

    def peek(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """The stored object itself, not to be changed; KeyError."""
        return self.objects[kind, namespace, name]

    def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """A new object; AlreadyExists."""
        address = (kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        return self._recorded("create", address, self._post(address, manifest))

    def change(self, kind: Kind, namespace: str, name: str, **changes: Any) -> Manifest:
        """Somebody's edit: these top-level parts are merged in."""
        address = (kind, namespace, name)
        return self._recorded(
            "update", address, self._put(address, merged(self.get(kind, namespace, name), changes))
        )

    def unlabel(self, kind: Kind, namespace: str, name: str, label: str) -> Manifest:
        """Somebody takes a label away."""
        address, found = (kind, namespace, name), self.get(kind, namespace, name)
        del found["metadata"]["labels"][label]
        return self._recorded("update", address, self._put(address, found))

    def set_status(self, kind: Kind, namespace: str, name: str, status: Manifest) -> Manifest:
        """A controller's status, whole."""
        address = (kind, namespace, name)
        sent = {**self.get(kind, namespace, name), "status": status}
        return self._recorded("update", address, self._put(address, sent, "status"), "status")

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object and all that it owns."""
        self._delete((kind, namespace, name), None)

    def collect(self) -> None:
        """The collector works again, and makes up for what it left."""
        self.collector_is_late = False
        living = {manifest["metadata"]["uid"] for manifest in self.objects.values()}
        for manifest in list(self.objects.values()):
            for reference in manifest["metadata"].get("ownerReferences", []):
                if reference["uid"] not in living:
                    self._collect(reference["uid"])

    def _collect(self, owner: str) -> None:
        """What Kubernetes' garbage collector does, at once and by its own hand."""
        actor, self.actor = self.actor, "collector"
        for address, manifest in sorted(self.objects.items(), key=_order):
            owners = [reference["uid"] for reference in manifest["metadata"].get("ownerReferences", [])]
            if owner in owners and address in self.objects:
                self._delete(address, None)
        self.actor = actor

    # --- what is seen of a write -----------------------------------------------------------------------

    def _recorded(self, verb: str, address: Address, after: Manifest, subresource: str = "") -> Manifest:
        """Take in what a write made of an object; a write that changed nothing is none."""
        before = self.objects.get(address)
        if _is_released(after):
            self._gone(address)
            return copied(after)
        if before is not None and _version(before) == _version(after):
            return copied(after)
        self.version = max(self.version, _version(after))
        self.objects[address] = after
        self._tell("MODIFIED" if before else "ADDED", address, after, before)
        self._log(verb if before else "create", address, before, after, subresource)
        return copied(after)

    def _delete(self, address: Address, uid: str | None) -> Manifest:
        kind, _, name = address
        found = self.objects.get(address)
        if found is None:
            raise NotFound(f"{kind.plural} {name!r} not found")
        left = self._erase(address, uid)
        if left is not None:
            return self._recorded("mark", address, left)
        self._gone(address)
        return {"kind": "Status", "status": "Success"}

    def _gone(self, address: Address) -> None:
        found = self.objects.pop(address)
        self.version += 1
        last = {**found, "metadata": {**found["metadata"], "resourceVersion": str(self.version)}}
        self._tell("DELETED", address, last, found)
        self._log("delete", address, found, None, "")
        if not self.collector_is_late:
            self._collect(found["metadata"]["uid"])

    def _tell(self, event: str, address: Address, manifest: Manifest, before: Manifest | None) -> None:
        for watcher in self.watchers:
            watcher(address[0], event, copied(manifest), before)

    def _log(
        self, verb: str, address: Address, before: Manifest | None, after: Manifest | None, subresource: str
    ) -> None:
        kind, _, name = address
        write = Write(self.actor, verb, kind.name, name, before, after, subresource, self._now())
        self.writes.append(write)
        if self.after_write:
            self.after_write(write)

    def _next_uid(self) -> str:
        """Uids are numbers in the order of birth, so that a story has the same ones on every backend."""
        self._born += 1
        return str(UUID(int=self._born))

    def _cluster_ip(self) -> str:
        """The address of the Service that was born last."""
        return f"10.96.0.{self._born % 250 + 2}"


MakeApi = Callable[[Now, Turn], WorldApi]


def merged(base: Any, over: Any) -> Any:
    """Server-side apply's merge for what we send: maps by key, lists of named things by name, others whole."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    if is_named(base) and is_named(over):
        names = {entry["name"]: entry for entry in base}
        entries = {entry["name"]: merged(names.get(entry["name"]), entry) for entry in over}
        return [*(entries.pop(name, entry) for name, entry in names.items()), *entries.values()]
    return copied(over)


def is_named(value: Any) -> bool:
    """Whether this is a list of things that their names tell apart."""
    if not (isinstance(value, list) and value and all(isinstance(v, dict) and "name" in v for v in value)):
        return False
    return len({entry["name"] for entry in value}) == len(value)


def addresses(api: WorldApi, *names: str) -> Iterator[Address]:
    """Addresses of all objects of kinds with these names."""
    found = (address for address in api.objects if address[0].name in names)
    return iter(sorted(found, key=lambda address: (address[0].name, address[2])))


def _is_released(manifest: Manifest) -> bool:
    """Whether this was the last that kept an object that is to go."""
    metadata = manifest["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])


def _order(item: tuple[Address, Manifest]) -> tuple[str, str, str]:
    (kind, namespace, name), _ = item
    return kind.name, namespace, name


def _parse(path: str) -> tuple[Kind, str, str, str]:
    """(kind, namespace, name, subresource) of a path; name "" for a collection."""
    parts = path.strip("/").split("/")
    group, version, rest = (
        (parts[1], parts[2], parts[3:]) if parts[0] == "apis" else ("", parts[1], parts[2:])
    )
    assert rest[0] == "namespaces", path
    namespace, plural, *more = rest[1:]
    name, subresource = (*more, "", "")[:2]
    return _PLURALS[group, version, plural], namespace, name, subresource
