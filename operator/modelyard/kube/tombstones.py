"""What the cache remembers of objects that are gone, so that late news do not bring them back."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from modelyard.api.kinds import Kind

MAX_TOMBSTONES = 20_000
"""The oldest are forgotten beyond this; late news are seconds late, not thousands of deletions."""

Place = tuple[Kind, str, str]
"""Kind, namespace and name."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """News of the object are stale up to this version; `version` None: all news of `uid` are."""

    uid: str
    version: int | None


class Tombstones:
    """One for each place, of what was last there."""

    def __init__(self) -> None:
        self._standing: OrderedDict[Place, Tombstone] = OrderedDict()

    def get(self, place: Place) -> Tombstone | None:
        """The one that stands there."""
        return self._standing.get(place)

    def set(self, place: Place, stone: Tombstone) -> None:
        """Set one, unless that of a later version stands there."""
        standing = self._standing.get(place)
        if standing is not None and (standing.version or 0) > (stone.version or 0):
            return
        self._standing[place] = stone
        self._standing.move_to_end(place)
        if len(self._standing) > MAX_TOMBSTONES:
            self._standing.popitem(last=False)

    def remove(self, place: Place) -> None:
        """None stands there any more."""
        self._standing.pop(place, None)

    def clear(self, kind: Kind, namespace: str | None) -> None:
        """None stands for a kind in a namespace (None: in any) any more."""
        for place in [each for each in self._standing if each[0] == kind and namespace in (None, each[1])]:
            del self._standing[place]
