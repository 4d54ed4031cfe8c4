"""Has a live child drifted from what we want? Pure.

The API server fills in defaults, other parties add what is theirs (a sidecar, an annotation), and quantities
come back in another spelling; none of that is drift. Three ways of comparing, as server-side apply itself
treats the fields:

    map          what we ask for is there; more may be there too        metadata.labels, spec, a container
    keyed list   each of our entries is there, found by its key         containers, env, Service ports
    atomic       the same, entry by entry, save for known defaults      selectors, rules of a NetworkPolicy

The atomic ones matter for safety: a rule that someone narrowed or widened must be noticed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from modelyard.api import labels
from modelyard.api.digests import without_contents
from modelyard.api.kinds import CONFIG_MAP
from modelyard.api.plain_digests import plain_hash
from modelyard.api.quantities import is_quantity, parse_quantity

_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ownerReferences": ("uid",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "ports": ("containerPort", "port", "protocol"),
}
"""The fields whose lists are merged by key, and their keys. All other lists are atomic."""

_ATOMIC = frozenset({"selector", "podSelector", "namespaceSelector", "labelSelector"})
_QUANTITIES = frozenset({"limits", "requests", "sizeLimit"})
_DEFAULTS: Mapping[str, Any] = {"protocol": "TCP", "apiVersion": "v1"}
"""What the API server fills into entries of lists."""

_DROPPED: tuple[object, ...] = (None, "", [])
"""In atomic parts an empty map means something ("every pod"); these do not."""

_STAMP_LENGTH = 16
_SKIPPED = frozenset({"apiVersion", "kind", "status"})
_UNCACHED = frozenset({"data", "binaryData"})
"""Of a ConfigMap: the cache does not keep them. Ours are immutable, and the hash covers what we want."""


def stamp(manifest: Mapping[str, Any]) -> str:
    """Hex digits that stand for a manifest, which holds no fractions."""
    return plain_hash(manifest, _STAMP_LENGTH)


def stamped(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with the hash of itself as annotation, so that a field that we stop sending is noticed."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), labels.APPLIED: stamp(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def has_drifted(live: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
    """Whether applying `desired` (stamped) would change `live`, which may have digests in place of contents."""
    skipped = _SKIPPED | _UNCACHED if desired["kind"] == CONFIG_MAP.name else _SKIPPED
    wanted = {key: value for key, value in without_contents(dict(desired)).items() if key not in skipped}
    return not _holds_map(without_contents(dict(live)), wanted)


class Agreed:
    """States of children that were found, or made, as we want them: there is no need to compare these once more."""

    def __init__(self, size: int = 65_536) -> None:
        self._size = size
        self._stamps: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """The last such state of each child, and what was asked for."""

    def add(self, live: Mapping[str, Any], desired: Mapping[str, Any]) -> None:
        """This state is what this (stamped) manifest asks for."""
        uid, version = _state(live)
        self._stamps[uid] = version, _stamp(desired)
        self._stamps.move_to_end(uid)
        if len(self._stamps) > self._size:
            self._stamps.popitem(last=False)

    def holds(self, live: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
        """Whether this is known."""
        uid, version = _state(live)
        return self._stamps.get(uid) == (version, _stamp(desired))


def _state(live: Mapping[str, Any]) -> tuple[str, str]:
    return live["metadata"].get("uid", ""), live["metadata"].get("resourceVersion", "")


def _stamp(desired: Mapping[str, Any]) -> str:
    return str(desired["metadata"]["annotations"][labels.APPLIED])


def _holds_map(live: object, wanted: Mapping[str, Any], *, quantities: bool = False) -> bool:
    """Whether a live map has all that is wanted."""
    if not isinstance(live, dict):
        return live is None and not any(_is_something(value) for value in wanted.values())
    return all(_holds(key, live.get(key), value, quantities) for key, value in wanted.items())


def _holds(key: str, live: object, wanted: object, quantities: bool) -> bool:
    if not _is_something(wanted):
        return not _is_something(live) or (isinstance(wanted, dict) and key not in _ATOMIC)
    if key in _ATOMIC:
        return _is_same(live, wanted)
    if isinstance(wanted, dict):
        return _holds_map(live, wanted, quantities=key in _QUANTITIES)
    if isinstance(wanted, list):
        return _holds_list(key, live, wanted)
    return _is_equal(live, wanted, quantities or key in _QUANTITIES)


def _holds_list(field: str, live: object, wanted: list[Any]) -> bool:
    keys = _KEYS.get(field)
    if keys is None or not all(isinstance(entry, dict) for entry in wanted):
        return _is_same(live, wanted)
    found = {_key(entry, keys): entry for entry in live} if isinstance(live, list) else {}
    return all(_key(entry, keys) in found and _holds_map(found[_key(entry, keys)], entry) for entry in wanted)


def _key(entry: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_value(entry, key) for key in keys)


def _value(entry: Mapping[str, Any], key: str) -> Any:
    return entry.get(key, _DEFAULTS.get(key))


def _is_same(live: object, wanted: object) -> bool:
    """Atomic: nothing missing and nothing more, save for known defaults; nothing is like an empty list."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        keys = live.keys() | wanted.keys()
        return all(_is_same(_value(live, key), _value(wanted, key)) for key in keys)
    if isinstance(live, list) and isinstance(wanted, list):
        return len(live) == len(wanted) and all(map(_is_same, live, wanted))
    if live is None or wanted is None:
        return live in _DROPPED and wanted in _DROPPED
    return live == wanted


def _is_equal(live: object, wanted: object, quantity: bool) -> bool:
    if live == wanted:
        return True
    texts = str(live), str(wanted)
    return quantity and all(map(is_quantity, texts)) and parse_quantity(texts[0]) == parse_quantity(texts[1])


def _is_something(value: object) -> bool:
    """The API server drops empty texts, maps and lists; it keeps our zeros and falses, whose absence means more."""
    return value is not None and value not in ("", {}, [])


def is_same_status(live: Mapping[str, Any] | None, desired: Mapping[str, Any]) -> bool:
    """Whether a status is already as we want it; the order of conditions and absent nulls do not count."""
    given = {key: value for key, value in desired.items() if value is not None}
    return live == given or _plain(live or {}) == _plain(given)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        plain = [_plain(inner) for inner in value]
        if plain and all(isinstance(inner, dict) and "type" in inner for inner in plain):
            return {str(inner["type"]): inner for inner in plain if isinstance(inner, dict)}
        return plain
    return value
