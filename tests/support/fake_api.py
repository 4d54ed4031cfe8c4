"""An API server in memory: as much of the real one as a pass can notice.

What it does: server-side apply (fields that the manager gave up are removed), defaults of our own schemas, the
status subresource, generation and resourceVersion, uids, preconditions, immutability of what is immutable. The
same passes and stories run against a real API server (`real_api`), which is what keeps this one honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.kinds import Kind
from modelyard.kube.errors import AlreadyExists, Conflict, Invalid
from modelyard.status.conditions import timestamp
from tests.support.world_api import Address, Manifest, Now, Turn, WorldApi, is_named, merged


class FakeApi(WorldApi):
    """Computes what the API server would make of each write."""

    def __init__(self, now: Now, turn: Turn) -> None:
        super().__init__(now, turn)
        self._applied: dict[Address, Manifest] = {}

    def fill_from(self, other: WorldApi) -> None:
        """Hold what another store holds; objects are never changed in place, so the two do not meet again."""
        assert isinstance(other, FakeApi)
        self.objects, self._applied = dict(other.objects), dict(other._applied)
        self.version, self._born, self.logs = other.version, other._born, dict(other.logs)
        self.logs = dict(other.logs)

    def _post(self, address: Address, sent: Manifest) -> Manifest:
        kind, namespace, name = address
        if address in self.objects:
            raise AlreadyExists(f'{kind.plural} "{name}" already exists')
        born = {
            "uid": self._next_uid(),
            "generation": 1,
            "creationTimestamp": timestamp(self._now()),
        }
        metadata = {**sent["metadata"], "namespace": namespace, "name": name, **born}
        unseen = {key: value for key, value in sent.items() if key != "status"}
        return self._versioned(self._filled(kind, {**unseen, "metadata": metadata}))

    def _put(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        before = self.get(*address)
        _check_precondition(address, sent, before, "resourceVersion", "uid")
        if subresource:
            return self._updated(address, before, {**before, "status": sent["status"]})
        metadata = {**sent["metadata"], **_identity(before)}
        kept = {"status": before["status"]} if "status" in before else {}
        changed = {key: value for key, value in sent.items() if key != "status"}
        return self._updated(address, before, {**changed, "metadata": metadata, **kept})

    def _patch(self, address: Address, sent: Manifest, subresource: str = "") -> Manifest:
        if subresource:
            before = self.get(*address)
            _check_precondition(address, sent, before, "resourceVersion")
            return self._updated(address, before, {**before, "status": sent["status"]})
        if address not in self.objects:
            self._applied[address] = sent
            return self._post(address, sent)
        before = self.get(*address)
        _check_precondition(address, sent, before, "resourceVersion")
        owned, self._applied[address] = self._applied.get(address, {}), sent
        return self._updated(address, before, merged(_without(before, owned, sent), sent))

    def _erase(self, address: Address, uid: str | None) -> Manifest | None:
        kind, _, name = address
        found = self.objects[address]
        if uid and found["metadata"]["uid"] != uid:
            raise Conflict(f'{kind.plural} "{name}": uid mismatch')
        if not found["metadata"].get("finalizers"):
            self._applied.pop(address, None)
            return None
        if "deletionTimestamp" in found["metadata"]:
            return found
        dying = {"deletionTimestamp": timestamp(self._now()), "deletionGracePeriodSeconds": 0}
        return self._versioned({**found, "metadata": {**found["metadata"], **dying}})

    def _updated(self, address: Address, before: Manifest, after: Manifest) -> Manifest:
        after = self._filled(address[0], after)
        if _meaning(before) == _meaning(after):
            return before
        _check_immutable(address[0], before, after)
        if before.get("spec") != after.get("spec"):
            generation = before["metadata"]["generation"] + 1
            after = {**after, "metadata": {**after["metadata"], "generation": generation}}
        return self._versioned(after)

    def _versioned(self, manifest: Manifest) -> Manifest:
        metadata = {**manifest["metadata"], "resourceVersion": str(self.version + 1)}
        return {**manifest, "metadata": metadata}

    def _filled(self, kind: Kind, manifest: Manifest) -> Manifest:
        """What the API server or an allocator fills in at once, and how it spells what is empty."""
        match kind.name:
            case "Service" if "clusterIP" not in manifest["spec"]:
                return {**manifest, "spec": {**manifest["spec"], "clusterIP": self._cluster_ip()}}
            case "EndpointSlice":
                return {**manifest, "endpoints": manifest["endpoints"] or None}
            case "NetworkPolicy":
                spec = {field: value for field, value in manifest["spec"].items() if value != []}
                return {**manifest, "spec": spec}
        schema = schemas().get(kind)
        return with_defaults(schema, manifest) if schema else manifest


@cache
def schemas() -> Mapping[Kind, Manifest]:
    """The structural schema of each kind of ours: what takes a while to make, once for all tests of a process."""
    return {
        resource.kind: crd(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for resource in RESOURCES
    }


def with_defaults(schema: Manifest, value: Any) -> Any:
    """A value with what its structural schema says for fields that are absent."""
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(schema["items"], entry) for entry in value]
    fields = schema.get("properties")
    if not isinstance(value, dict) or not fields:
        return value
    absent = {
        key: field["default"] for key, field in fields.items() if "default" in field and key not in value
    }
    return {
        key: with_defaults(fields[key], entry) if key in fields else entry
        for key, entry in {**value, **absent}.items()
    }


def _identity(manifest: Manifest) -> Manifest:
    """What no update changes."""
    known = ("uid", "generation", "creationTimestamp", "name", "namespace", "deletionTimestamp")
    return {key: manifest["metadata"][key] for key in known if key in manifest["metadata"]}


def _check_precondition(address: Address, sent: Manifest, live: Manifest, *fields: str) -> None:
    """These fields, where a writer names them, must be as they are."""
    kind, _, name = address
    for field in fields:
        if sent["metadata"].get(field, live["metadata"][field]) != live["metadata"][field]:
            raise Conflict(f'{kind.plural} "{name}": the object has been modified')


def _without(live: Any, owned: Any, sent: Any) -> Any:
    """The live object less what its manager applied before and no longer sends."""
    if isinstance(live, dict) and isinstance(owned, dict) and isinstance(sent, dict):
        gone = owned.keys() - sent.keys()
        return {
            key: _without(value, owned.get(key), sent.get(key))
            for key, value in live.items()
            if key not in gone
        }
    if is_named(live) and is_named(owned) and is_named(sent):
        gone = {entry["name"] for entry in owned} - {entry["name"] for entry in sent}
        return [entry for entry in live if entry["name"] not in gone]
    return live


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
    changeable = ("description", "cancel", "ttlSecondsAfterFinished")
    return {key: value for key, value in manifest["spec"].items() if key not in changeable}
