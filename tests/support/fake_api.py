"""An API server in memory: as much of the real one as a pass can notice.

It stands where `kube.session.Session` stands, so that everything above it is the real thing: LiveCluster,
cache, drift, ownership. `tests/apiserver` holds the same code against a real one. What it does: server-side
apply (fields that the manager gave up are removed), the status subresource, generation and resourceVersion,
uids, preconditions, immutability of what is immutable, collection of what a deleted owner owned, and a log of
all writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson

from modelyard.api.kinds import ALL_KINDS, Kind
from modelyard.kube.errors import AlreadyExists, Conflict, Invalid, NotFound
from modelyard.status.conditions import timestamp

Manifest = dict[str, Any]
T = TypeVar("T")
Address = tuple[Kind, str, str]

_PLURALS = {(kind.group, kind.version, kind.plural): kind for kind in ALL_KINDS}
_OWN_GROUP = "modelyard.dev"


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

    def __str__(self) -> str:
        what = f"{self.kind} {self.name}"
        return f"{self.verb} {what}{'/' + self.subresource if self.subresource else ''}"


class FakeApi:
    """The store, and the requests that the operator makes of it."""

    def __init__(self, now: Callable[[], datetime], turn: Callable[[], Awaitable[None]]) -> None:
        self._now, self._turn = now, turn
        self.objects: dict[Address, Manifest] = {}
        self.writes: list[Write] = []
        self.actor = "operator"
        self._owned: dict[tuple[Address, str], Manifest] = {}
        self.version = 100
        self._uid = 0
        self.watchers: list[Callable[[Kind, str, Manifest], None]] = []
        self.before_write: Callable[[str, str, Kind, str], None] | None = None
        self.after_write: Callable[[Write], None] | None = None
        self.collector_is_late = False
        """While true, what a deleted owner owned stays; `collect` makes up for it."""

    def fill_from(self, other: FakeApi) -> None:
        """Hold what another store holds; objects are never changed in place, so the two do not meet again."""
        self.objects, self._owned = dict(other.objects), dict(other._owned)
        self.version, self._uid = other.version, other._uid

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

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Manifest:
        kind, namespace, name, subresource = _parse(path)
        if method == "GET":
            return self.get(kind, namespace, name) if name else self._list(kind, namespace)
        if self.before_write:
            self.before_write(method, path, kind, name or str((body or {})["metadata"]["name"]))
        sent = copied(dict(body or {}))
        match method:
            case "POST":
                return self.create(kind, sent)
            case "PUT":
                return self._put(kind, namespace, name, sent)
            case "PATCH" if subresource == "status":
                return self._apply_status(kind, namespace, name, sent)
            case "PATCH":
                return self._apply(kind, namespace, name, sent)
            case "DELETE":
                return self._delete(kind, namespace, name, sent.get("preconditions", {}).get("uid"))
            case _:
                raise AssertionError(f"{method} is not spoken here")

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """A copy of an object; NotFound."""
        found = self.objects.get((kind, namespace, name))
        if found is None:
            raise NotFound(f"{kind.plural} {name!r} not found")
        return copied(found)

    def peek(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """The stored object itself, not to be changed; KeyError."""
        return self.objects[kind, namespace, name]

    def _list(self, kind: Kind, namespace: str | None) -> Manifest:
        found = [
            m for (k, ns, _), m in sorted(self.objects.items(), key=_order) if k == kind and ns == namespace
        ]
        return {"items": copied(found), "metadata": {"resourceVersion": str(self.version)}}

    # --- writes ----------------------------------------------------------------------------------------

    def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """A new object; AlreadyExists."""
        metadata = manifest["metadata"]
        address = (kind, metadata["namespace"], metadata["name"])
        if address in self.objects:
            raise AlreadyExists(f'{kind.plural} "{metadata["name"]}" already exists')
        self._uid += 1
        born = {
            **manifest,
            "metadata": {
                **metadata,
                "uid": str(UUID(int=self._uid)),
                "generation": 1,
                "creationTimestamp": timestamp(self._now()),
            },
        }
        born.pop("status", None)
        if kind.group == _OWN_GROUP:
            born["status"] = {"observedGeneration": -1}
        return self._store("create", address, None, _with_server_fields(kind, born, self._uid))

    def change(self, kind: Kind, namespace: str, name: str, **changes: Any) -> Manifest:
        """Somebody's edit: these top-level parts are merged in."""
        before = self.get(kind, namespace, name)
        return self._update("update", (kind, namespace, name), before, _merged(before, changes))

    def set_status(self, kind: Kind, namespace: str, name: str, status: Manifest) -> Manifest:
        """A controller's status, whole."""
        before = self.get(kind, namespace, name)
        return self._update("update", (kind, namespace, name), before, {**before, "status": status}, "status")

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object and all that it owns."""
        self._delete(kind, namespace, name, None)

    def _put(self, kind: Kind, namespace: str, name: str, sent: Manifest) -> Manifest:
        before = self.get(kind, namespace, name)
        if sent["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            raise Conflict(f'{kind.plural} "{name}": the object has been modified')
        metadata = {**before["metadata"], **sent["metadata"]}
        after = {**sent, "metadata": metadata, **({"status": before["status"]} if "status" in before else {})}
        return self._update("replace", (kind, namespace, name), before, after)

    def _apply(self, kind: Kind, namespace: str, name: str, sent: Manifest) -> Manifest:
        address = (kind, namespace, name)
        owned = self._owned.get((address, "spec"), {})
        self._owned[address, "spec"] = sent
        if address not in self.objects:
            return self.create(kind, copied(sent))
        before = self.get(kind, namespace, name)
        return self._update("apply", address, before, _merged(_without(before, owned, sent), sent))

    def _apply_status(self, kind: Kind, namespace: str, name: str, sent: Manifest) -> Manifest:
        before = self.get(kind, namespace, name)
        uid = sent["metadata"].get("uid")
        if uid and uid != before["metadata"]["uid"]:
            raise Conflict(f'{kind.plural} "{name}": uid mismatch')
        return self._update(
            "apply", (kind, namespace, name), before, {**before, "status": sent["status"]}, "status"
        )

    def _update(
        self, verb: str, address: Address, before: Manifest, after: Manifest, subresource: str = ""
    ) -> Manifest:
        if _meaning(before) == _meaning(after):
            return before
        _check_immutable(address[0], before, after)
        if before.get("spec") != after.get("spec"):
            after["metadata"] = {**after["metadata"], "generation": before["metadata"]["generation"] + 1}
        return self._store(verb, address, before, after, subresource)

    def _store(
        self, verb: str, address: Address, before: Manifest | None, after: Manifest, subresource: str = ""
    ) -> Manifest:
        self.version += 1
        after = {**after, "metadata": {**after["metadata"], "resourceVersion": str(self.version)}}
        self.objects[address] = after
        self._tell("MODIFIED" if before else "ADDED", address, after)
        self._log(Write(self.actor, verb, address[0].name, address[2], before, after, subresource))
        return copied(after)

    def _delete(self, kind: Kind, namespace: str, name: str, uid: str | None) -> Manifest:
        found = self.get(kind, namespace, name)
        if uid and found["metadata"]["uid"] != uid:
            raise Conflict(f'{kind.plural} "{name}": uid mismatch')
        self._remove((kind, namespace, name), found)
        return {"kind": "Status", "status": "Success"}

    def _remove(self, address: Address, found: Manifest) -> None:
        del self.objects[address]
        self._owned.pop((address, "spec"), None)
        self.version += 1
        last = {**found, "metadata": {**found["metadata"], "resourceVersion": str(self.version)}}
        self._tell("DELETED", address, last)
        self._log(Write(self.actor, "delete", address[0].name, address[2], found, None))
        if not self.collector_is_late:
            self._collect(found["metadata"]["uid"])

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
                self._remove(address, manifest)
        self.actor = actor

    def _tell(self, event: str, address: Address, manifest: Manifest) -> None:
        for watcher in self.watchers:
            watcher(address[0], event, copied(manifest))

    def _log(self, write: Write) -> None:
        self.writes.append(write)
        if self.after_write:
            self.after_write(write)


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


def _merged(base: Any, over: Any) -> Any:
    """Server-side apply's merge for what we send: maps by key, lists of named things by name, others whole."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}
    if _is_named(base) and _is_named(over):
        names = {entry["name"]: entry for entry in base}
        merged = {entry["name"]: _merged(names.get(entry["name"]), entry) for entry in over}
        return [*(merged.pop(name, entry) for name, entry in names.items()), *merged.values()]
    return copied(over)


def _without(live: Any, owned: Any, sent: Any) -> Any:
    """The live object less what its manager applied before and no longer sends."""
    if isinstance(live, Mapping) and isinstance(owned, Mapping) and isinstance(sent, Mapping):
        gone = owned.keys() - sent.keys()
        return {
            key: _without(value, owned.get(key), sent.get(key))
            for key, value in live.items()
            if key not in gone
        }
    if _is_named(live) and _is_named(owned) and _is_named(sent):
        gone = {entry["name"] for entry in owned} - {entry["name"] for entry in sent}
        return [entry for entry in live if entry["name"] not in gone]
    return live


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) and "name" in v for v in value)
    )


def _meaning(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": ""}}


_IMMUTABLE_SPECS = {"CustomModelVersion", "ModelTest", "ExecutionEnvironmentVersion"}


def _check_immutable(kind: Kind, before: Manifest, after: Manifest) -> None:
    if kind.name in _IMMUTABLE_SPECS and _frozen_spec(before) != _frozen_spec(after):
        raise Invalid(f"{kind.name}: spec is immutable")
    if before.get("immutable") and before.get("data") != after.get("data"):
        raise Invalid(f"{kind.name}: data is immutable")
    if kind.name == "ControllerRevision" and before.get("data") != after.get("data"):
        raise Invalid(f"{kind.name}: data is immutable")


def _frozen_spec(manifest: Manifest) -> Manifest:
    return {key: value for key, value in manifest["spec"].items() if key != "description"}


def _with_server_fields(kind: Kind, manifest: Manifest, number: int) -> Manifest:
    """What the API server or an allocator fills in at once."""
    if kind.name == "Service":
        manifest["spec"].setdefault("clusterIP", f"10.96.0.{number % 250 + 2}")
    return manifest


def addresses(api: FakeApi, *names: str) -> Iterator[Address]:
    """Addresses of all objects of kinds with these names."""
    return (
        address
        for address in sorted(api.objects, key=lambda a: (a[0].name, a[2]))
        if address[0].name in names
    )
