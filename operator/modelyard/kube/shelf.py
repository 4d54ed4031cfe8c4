"""Where the cache keeps its objects: as they are while they are asked for, and as JSON in a quarter of the space after.

An object of a few kilobytes of JSON is some tens of kilobytes of dicts and strings. Of thousands of objects that
nothing happens to, few are looked at in a minute; reading one again takes some ten microseconds.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

import orjson

from modelyard.api.kinds import Kind
from modelyard.kube.cluster import Manifest

AWAKE = 1024
"""Objects kept as they are."""


class _Entry:
    """One object: `awake`, or asleep as JSON, or both for a while."""

    __slots__ = ("asked", "asleep", "awake", "uid", "version")

    def __init__(self) -> None:
        self.uid = ""
        self.version: str | None = None
        self.awake: Manifest | None = None
        self.asleep = b""
        self.asked = True

    def take(self, manifest: Manifest) -> None:
        """Be this from now on."""
        metadata = manifest["metadata"]
        self.uid, self.version = metadata.get("uid", ""), metadata.get("resourceVersion")
        self.awake, self.asleep, self.asked = manifest, b"", True

    def sleep(self) -> None:
        """Become JSON; what woke and did not change is the JSON that it was."""
        if not self.asleep:
            made = orjson.dumps(self.awake)
            self.asleep = bytes(memoryview(made))  # a copy: what was made keeps its room to grow
        self.awake = None


class Shelf:
    """Objects by kind, namespace and name. What it gives is shared: never write into it."""

    def __init__(self, awake: int = AWAKE) -> None:
        self._limit = awake
        self._entries: defaultdict[tuple[Kind, str], dict[str, _Entry]] = defaultdict(dict)
        self._awake: deque[_Entry] = deque()

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object; None when there is none."""
        entry = self._entries.get((kind, namespace), _NONE).get(name)
        return None if entry is None else self._woken(entry)

    def put(self, kind: Kind, namespace: str, name: str, manifest: Manifest) -> None:
        """Keep this in place of what was kept."""
        objects = self._entries[kind, namespace]
        entry = objects.get(name)
        if entry is None:
            entry = objects[name] = _Entry()
        was_awake = entry.awake is not None
        entry.take(manifest)
        if not was_awake:
            self._rouse(entry)

    def drop(self, kind: Kind, namespace: str, name: str) -> None:
        """Keep nothing of that name."""
        objects = self._entries[kind, namespace]
        entry = objects.pop(name, None)
        if entry is not None:
            entry.awake = None
        if not objects:
            del self._entries[kind, namespace]

    def names(self, kind: Kind, namespace: str) -> list[str]:
        """Names of the objects of a namespace, sorted."""
        return sorted(self._entries.get((kind, namespace), _NONE))

    def namespaces(self, kind: Kind) -> list[str]:
        """Where there are objects of a kind."""
        return [namespace for found, namespace in self._entries if found == kind]

    def count(self, kind: Kind) -> int:
        """How many objects of a kind there are."""
        return sum(len(objects) for (found, _), objects in self._entries.items() if found == kind)

    def states(self, kind: Kind, namespace: str) -> Iterator[tuple[str, str, str | None]]:
        """Name, uid and resourceVersion of each object of a namespace, none of them woken for it."""
        for name, entry in self._entries.get((kind, namespace), _NONE).items():
            yield name, entry.uid, entry.version

    def _woken(self, entry: _Entry) -> Manifest:
        entry.asked = True
        if entry.awake is None:
            entry.awake = orjson.loads(entry.asleep)
            self._rouse(entry)
        return entry.awake

    def _rouse(self, entry: _Entry) -> None:
        """Count it among those awake, and put the one to sleep that nobody asked for in the longest time."""
        self._awake.append(entry)
        while len(self._awake) > self._limit:
            oldest = self._awake.popleft()
            if oldest.asked:
                oldest.asked = False
                self._awake.append(oldest)
            elif oldest.awake is not None:
                oldest.sleep()


_NONE: dict[str, Any] = {}


class Index:
    """Names by what they are found by."""

    def __init__(self) -> None:
        self._names: dict[tuple[Kind, str, str, str], str | set[str]] = {}

    def add(self, key: tuple[Kind, str, str, str], name: str) -> None:
        """This key finds this name too."""
        found = self._names.setdefault(key, name)
        if isinstance(found, set):
            found.add(name)
        elif found != name:
            self._names[key] = {found, name}

    def discard(self, key: tuple[Kind, str, str, str], name: str) -> None:
        """This key finds this name no more."""
        found = self._names.get(key)
        if isinstance(found, set):
            found.discard(name)
        if found == name or not found:
            self._names.pop(key, None)

    def names(self, key: tuple[Kind, str, str, str]) -> list[str]:
        """What this key finds, sorted."""
        found = self._names.get(key)
        if found is None:
            return []
        return sorted(found) if isinstance(found, set) else [found]

    def __len__(self) -> int:
        return len(self._names)

    def count(self, key: tuple[Kind, str, str, str]) -> int:
        """How many names this key finds."""
        found = self._names.get(key, ())
        return 1 if isinstance(found, str) else len(found)
