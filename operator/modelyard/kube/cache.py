"""What the operator knows of the cluster: objects as last seen, whoever brought the news.

News of one object come by several ways (watches, lists, answers to our own writes), in any order. The rules:

    older news are dropped           by resourceVersion, which Kubernetes >= 1.33 defines as ordered integers
    a delete leaves a tombstone      so that older news that come late do not bring the object back
    what stands is there             a delete at the version that is read by name was the loss of its label
    a list buries ghosts             what is neither in it nor newer than it is gone
    a list tells how it is           also where the server was set back to a backup: what was known up to then is old

Cached objects are shared and never changed in place: readers must not write into them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from modelyard.api import labels
from modelyard.api.digests import without_contents
from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL_VERSION,
    EXECUTION_ENVIRONMENT_VERSION,
    MODEL_LEDGER,
    MODEL_TEST,
    Kind,
)
from modelyard.kube.cluster import Manifest
from modelyard.kube.shelf import AWAKE, Index, Shelf
from modelyard.kube.tombstones import Tombstone, Tombstones

logger = logging.getLogger(__name__)

Listener = Callable[[Kind, str, str, Manifest | None, Manifest | None], None]
"""Called with (kind, namespace, name, old, new) after each real change; old or new is None for none."""

_INDEXED_LABELS = (
    labels.OF_MODEL,
    labels.OF_VERSION,
    labels.OF_TEST,
    labels.OF_ENVIRONMENT,
    labels.MODEL,
    labels.SERVES,
    labels.WORKLOAD,
    "kubernetes.io/service-name",
)
_INDEXED_REFERENCES: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    EXECUTION_ENVIRONMENT_VERSION: (("environmentRef", "name"),),
    CUSTOM_MODEL_VERSION: (("modelRef", "name"), ("environmentRef", "name")),
    MODEL_TEST: (("versionRef", "name"),),
    MODEL_LEDGER: (("modelName",), ("testing", "name")),
}
"""Paths below `spec` of names of other objects."""

_KEY = "status.key"
"""Versions are found by it, too: children are labelled with their version's key, not with its name."""

NEVER = -1.0
"""Before all versions."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Cache:
    """Objects by kind, namespace and name, with the indexes that lookups need. Not for several threads."""

    def __init__(self, awake: int = AWAKE) -> None:
        self._shelf, self._index = Shelf(awake), Index()
        self._tombstones = Tombstones()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call this after each real change from now on."""
        self._listeners.append(listener)

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object as last seen; None when there is none."""
        return self._shelf.get(kind, namespace, name)

    def select(self, kind: Kind, namespace: str, having: Mapping[str, str] | None = None) -> list[Manifest]:
        """Objects of a namespace with all of these labels, sorted by name."""
        wanted = dict(having or {})
        found = self._objects(kind, namespace, self._candidates(kind, namespace, wanted))
        return [manifest for manifest in found if _has_labels(manifest, wanted)]

    def referring(self, kind: Kind, namespace: str, reference: str, name: str) -> list[Manifest]:
        """Objects whose `spec.<reference>` names that object ("modelRef.name"), sorted by name."""
        return self._objects(kind, namespace, self._index.names((kind, namespace, f"spec.{reference}", name)))

    def with_key(self, namespace: str, key: str) -> list[Manifest]:
        """Versions whose status says that this key is theirs, sorted by name."""
        names = self._index.names((CUSTOM_MODEL_VERSION, namespace, _KEY, key))
        return self._objects(CUSTOM_MODEL_VERSION, namespace, names)

    def names(self, kind: Kind) -> Iterator[tuple[str, str]]:
        """(namespace, name) of all objects of a kind."""
        for namespace in self._shelf.namespaces(kind):
            yield from ((namespace, name) for name in self._shelf.names(kind, namespace))

    def count(self, kind: Kind) -> int:
        """How many objects of a kind there are."""
        return self._shelf.count(kind)

    def put(
        self, kind: Kind, manifest: Mapping[str, Any], *, stands: bool = False, as_of: float = NEVER
    ) -> bool:
        """Take in an object as the API server sent it; False when that was old news.

        `stands`: it was read by itself, by its name. A delete at this very version was then none: a watch that
        selects by label tells so of an object that lost its label. `as_of`: it is in a list at this version, and
        nothing that was known up to then makes it old: a server set back to a backup has states from before.
        """
        metadata = manifest["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        old = self.get(kind, namespace, name)
        if not self._is_news(kind, namespace, name, metadata, old, stands=stands, as_of=as_of):
            return False
        new = compacted(kind, manifest)
        self._tombstones.remove((kind, namespace, name))
        self._store(kind, namespace, name, old, new)
        if old is None or _without_version(old) != _without_version(new):
            self._tell(kind, namespace, name, old, new)
        return True

    def remove(self, kind: Kind, manifest: Mapping[str, Any]) -> None:
        """Take in that an object was deleted; `manifest` is its last state, with the delete's version."""
        metadata = manifest["metadata"]
        version = _version(metadata)
        self._bury(kind, metadata.get("namespace", ""), metadata["name"], metadata.get("uid", ""), version)

    def forget(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Take in that this very object is gone, when no version is known: nothing brings it back."""
        self._bury(kind, namespace, name, uid, None)

    def sweep(
        self,
        kind: Kind,
        namespace: str | None,
        seen: Collection[tuple[str, str]],
        version: str,
        *,
        set_back: bool = False,
    ) -> int:
        """After a list (of all namespaces: None) at this version: bury what was not `seen`; how many.

        `set_back`: its history is another one. What is newer than the list is then of the old one, or will be told of.
        """
        listed = _as_version(version)
        ghosts = [
            (place, name, uid)
            for place in self._shelf.namespaces(kind)
            if namespace in (None, place)
            for name, uid, known in self._shelf.states(kind, place)
            if (place, name) not in seen and (set_back or not _is_newer(_as_version(known), listed))
        ]
        for place, name, uid in ghosts:
            self._bury(kind, place, name, uid, listed, surely=set_back)
        return len(ghosts)

    def forget_deletions(self, kind: Kind, namespace: str | None) -> None:
        """Those of a history that is gone, in a namespace (None: in all)."""
        self._tombstones.clear(kind, namespace)

    def _is_news(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        metadata: Mapping[str, Any],
        old: Manifest | None,
        *,
        stands: bool,
        as_of: float,
    ) -> bool:
        version = _version(metadata)
        grave = self._tombstones.get((kind, namespace, name))
        if grave is not None and grave.version is None and grave.uid == metadata.get("uid"):
            return False
        if version is None:
            return old is None or old["metadata"].get("resourceVersion") != metadata.get("resourceVersion")
        known = _version(old["metadata"]) if old is not None else grave.version if grave is not None else None
        if known is None or version > known:
            return True
        return version < known <= as_of or (stands and old is None and version == known)

    def _bury(
        self, kind: Kind, namespace: str, name: str, uid: str, version: int | None, *, surely: bool = False
    ) -> None:
        old = self.get(kind, namespace, name)
        if old is not None and not surely and _is_another(old["metadata"], uid, version):
            return
        self._tombstones.set((kind, namespace, name), Tombstone(uid, version))
        if old is not None:
            self._store(kind, namespace, name, old, None)
            self._tell(kind, namespace, name, old, None)

    def _store(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        before, after = set(_entries(kind, old)), set(_entries(kind, new))
        for field, value in before - after:
            self._index.discard((kind, namespace, field, value), name)
        for field, value in after - before:
            self._index.add((kind, namespace, field, value), name)
        if new is not None:
            self._shelf.put(kind, namespace, name, new)
        else:
            self._shelf.drop(kind, namespace, name)

    def _tell(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        for listener in self._listeners:
            listener(kind, namespace, name, old, new)

    def _objects(self, kind: Kind, namespace: str, names: Iterable[str]) -> list[Manifest]:
        found = (self._shelf.get(kind, namespace, name) for name in names)
        return [manifest for manifest in found if manifest is not None]

    def _candidates(self, kind: Kind, namespace: str, wanted: Mapping[str, str]) -> list[str]:
        """Names worth looking at: of the rarest indexed label, or all."""
        keys = [(kind, namespace, key, value) for key, value in wanted.items() if key in _INDEXED_LABELS]
        if not keys:
            return self._shelf.names(kind, namespace)
        return self._index.names(min(keys, key=self._index.count))


def compacted(kind: Kind, manifest: Mapping[str, Any]) -> Manifest:
    """What the cache keeps: no managed fields, no contents (digests instead), no copy of them by kubectl.

    Items of a list come without apiVersion and kind; kept objects have them.
    """
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    dropped = ("metadata", "data", "binaryData") if kind == CONFIG_MAP else ("metadata",)
    body = {key: value for key, value in manifest.items() if key not in dropped}
    return without_contents({**body, "apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata})


def _entries(kind: Kind, manifest: Manifest | None) -> Iterable[tuple[str, str]]:
    """What an object is found by: its indexed labels, the names that its spec refers to, and a version's key."""
    if manifest is None:
        return
    found = manifest["metadata"].get("labels") or {}
    yield from ((key, found[key]) for key in _INDEXED_LABELS if key in found)
    for path in _INDEXED_REFERENCES.get(kind, ()):
        value: Any = manifest.get("spec")
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield f"spec.{'.'.join(path)}", value
    if kind == CUSTOM_MODEL_VERSION and (key := (manifest.get("status") or {}).get("key")):
        yield _KEY, key


def _has_labels(manifest: Manifest, wanted: Mapping[str, str]) -> bool:
    found = manifest["metadata"].get("labels") or {}
    return all(found.get(key) == value for key, value in wanted.items())


def _is_another(metadata: Mapping[str, Any], uid: str, version: int | None) -> bool:
    """Whether the cached object outlived what is said to be gone: another one, or a newer state of it."""
    if version is None:
        return bool(metadata.get("uid") != uid)
    return _is_newer(_version(metadata), version)


def as_number(version: str) -> float:
    """A version as `as_of`."""
    number = _as_version(version)
    return NEVER if number is None else number


def is_before(version: str, known: str | None) -> bool:
    """Whether a version is older than a known one; what cannot be compared is not."""
    return _is_newer(_as_version(known), _as_version(version))


def _is_newer(mine: int | None, version: int | None) -> bool:
    return mine is not None and version is not None and mine > version


def _version(metadata: Mapping[str, Any]) -> int | None:
    return _as_version(metadata.get("resourceVersion"))


def _as_version(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def _without_version(manifest: Manifest) -> Manifest:
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "resourceVersion"}
    return {**manifest, "metadata": metadata}
