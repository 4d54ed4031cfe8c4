"""Which passes a changed object wakes. Pure. A pass too many only costs time; one too few is a bug.

ExecutionEnvironment, its versions   the environment, and the model versions that name it
CustomModel, ModelLedger             the model, all its versions, the tests of these that still run; who has the turn
CustomModelVersion                   the version, its running tests, its model; its siblings when it comes or goes
ModelTest                            the test, its model and version, and the running tests that wait for its turn
a child of a version                 the version, its running tests, its model
a child of a test                    the test, and the model that gave it its turn
any other child of a model           as the model itself

A status that the pass over a model or a version wrote itself does not wake that pass once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from modelyard.api import labels
from modelyard.api.kinds import (
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    MODEL_LEDGER,
    MODEL_TEST,
    Kind,
)
from modelyard.kube.cluster import Manifest

States = tuple[Manifest | None, Manifest | None]
"""An object before and after a change."""


class Key(NamedTuple):
    """What a pass is over."""

    kind: Kind
    namespace: str
    name: str


class Lookup(Protocol):
    """What routing asks of the cache."""

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object of that name."""
        ...

    def referring(self, kind: Kind, namespace: str, reference: str, name: str) -> list[Manifest]:
        """Objects whose `spec.<reference>` is that name."""
        ...

    def with_key(self, namespace: str, key: str) -> list[Manifest]:
        """Versions whose status says that key."""
        ...


def woken(kind: Kind, namespace: str, states: States, known: Lookup) -> set[Key]:
    """The keys to pass over when an object went from one state to another (None: there was or is none)."""
    keys: set[Key] = set()
    old, new = states
    route = _ROUTES.get(kind, _child)
    if kind in _STATUS_ROUTES and is_same_wish(old, new):
        route = _STATUS_ROUTES[kind]
    for manifest in states:
        if manifest is not None:
            keys.update(route(namespace, manifest, known))
    return keys


def news_of(
    kind: Kind, namespace: str, name: str, states: States, known: Lookup, *, passing: Key | None
) -> list[Key]:
    """The keys to pass over, in order; `passing` is the key of the pass that wrote this itself, None for another's."""
    keys = woken(kind, namespace, states, known)
    if passing == (kind, namespace, name) and is_own_word(kind, states):
        keys -= {passing}
    return in_order(keys)


def in_order(keys: Iterable[Key]) -> list[Key]:
    """A model first: its pass gives the labels and turns that the others wait for."""
    return sorted(keys, key=lambda key: (key.kind != CUSTOM_MODEL, key.kind.name, key.name))


def leader(key: Key, known: Lookup) -> Key | None:
    """The model of a version: it gives the label that the version waits for, and reads what the version makes."""
    version = known.get(*key) if key.kind == CUSTOM_MODEL_VERSION else None
    return Key(CUSTOM_MODEL, key.namespace, _reference(version, "modelRef")) if version else None


def is_same_wish(old: Manifest | None, new: Manifest | None) -> bool:
    """Whether what somebody declares is as it was: the status may have changed, a label, or what is told to people."""
    if old is None or new is None or _wish(old) != _wish(new):
        return False
    return all(
        old["metadata"].get(field) == new["metadata"].get(field) for field in ("uid", "deletionTimestamp")
    )


def is_own_word(kind: Kind, states: States) -> bool:
    """Whether a write of its own gives a pass nothing to look at: a status, with which its kind's passes end.

    The pass over a test goes on from what the last one wrote there. A write of another in between shows by the rest
    of the object, or by itself.
    """
    old, new = states
    return kind in _STATUS_ROUTES and old is not None and new is not None and _given(old) == _given(new)


def _given(manifest: Manifest) -> Manifest:
    """All but the status."""
    metadata = {field: value for field, value in manifest["metadata"].items() if field != "resourceVersion"}
    return {**manifest, "metadata": metadata, "status": None}


def _wish(manifest: Manifest) -> Manifest:
    return {field: value for field, value in (manifest.get("spec") or {}).items() if field != "description"}


def _environment(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_environment(namespace, _name(manifest), known)


def _environment_version(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(EXECUTION_ENVIRONMENT_VERSION, namespace, _name(manifest))
    yield from _around_environment(namespace, _reference(manifest, "environmentRef"), known)


def _model(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_model(namespace, _name(manifest), known)


def _model_alone(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(CUSTOM_MODEL, namespace, _name(manifest))


def _version(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _version_alone(namespace, manifest, known)
    yield from _around_model(namespace, _reference(manifest, "modelRef"), known)


def _version_alone(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(CUSTOM_MODEL_VERSION, namespace, _name(manifest))
    yield from _running_tests(namespace, _name(manifest), known)
    yield Key(CUSTOM_MODEL, namespace, _reference(manifest, "modelRef"))


def _ledger(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_model(namespace, manifest["spec"]["modelName"], known)
    testing = manifest["spec"].get("testing")
    if testing:
        yield Key(MODEL_TEST, namespace, testing["name"])  # its version may be gone by now


def _test(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(MODEL_TEST, namespace, _name(manifest))
    version = known.get(CUSTOM_MODEL_VERSION, namespace, _reference(manifest, "versionRef"))
    if version is not None:
        yield from _version_alone(namespace, version, known)
        yield from _tests_of_model(namespace, _reference(version, "modelRef"), known)
    for ledger in known.referring(MODEL_LEDGER, namespace, "testing.name", _name(manifest)):
        yield Key(CUSTOM_MODEL, namespace, ledger["spec"]["modelName"])  # its version may be gone by now
    yield from _child(namespace, manifest, known)


_ROUTES = {
    EXECUTION_ENVIRONMENT: _environment,
    EXECUTION_ENVIRONMENT_VERSION: _environment_version,
    CUSTOM_MODEL: _model,
    CUSTOM_MODEL_VERSION: _version,
    MODEL_LEDGER: _ledger,
    MODEL_TEST: _test,
}
_STATUS_ROUTES = {CUSTOM_MODEL: _model_alone, CUSTOM_MODEL_VERSION: _version_alone}
"""For a change of what we say ourselves, or of a description: nobody else's pass reads it."""


def _child(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    """What a child belongs to, by its labels and by its controlling owner."""
    found = manifest["metadata"].get("labels") or {}
    owner = _owner(manifest)
    key = found.get(labels.OF_VERSION) or found.get(labels.SERVES)
    tests = {found.get(labels.OF_TEST), owner.get(MODEL_TEST.name)} - {None}
    for model in {found.get(labels.OF_MODEL), found.get(labels.MODEL), owner.get(CUSTOM_MODEL.name)} - {None}:
        yield from _of_model(namespace, str(model), key, bool(tests), known)
    for environment in {found.get(labels.OF_ENVIRONMENT), owner.get(EXECUTION_ENVIRONMENT.name)}:
        yield from _around_environment(namespace, environment, known)
    for test in tests:
        yield Key(MODEL_TEST, namespace, str(test))


def _of_model(namespace: str, model: str, key: str | None, is_of_test: bool, known: Lookup) -> Iterator[Key]:
    """The model, and of its versions the one with this key: all of them if none says yet that the key is its own."""
    if is_of_test and not key:
        yield Key(CUSTOM_MODEL, namespace, model)
        return
    versions = known.with_key(namespace, key) if key else []
    own = [version for version in versions if _reference(version, "modelRef") == model]
    if not own:
        yield from _around_model(namespace, model, known)
    for version in own:
        yield from _version_alone(namespace, version, known)


def _around_model(namespace: str, model: str, known: Lookup) -> Iterator[Key]:
    yield Key(CUSTOM_MODEL, namespace, model)
    for version in known.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", model):
        yield Key(CUSTOM_MODEL_VERSION, namespace, _name(version))
        yield from _running_tests(namespace, _name(version), known)


def _tests_of_model(namespace: str, model: str, known: Lookup) -> Iterator[Key]:
    for version in known.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", model):
        yield from _running_tests(namespace, _name(version), known)


def _around_environment(namespace: str, environment: str | None, known: Lookup) -> Iterator[Key]:
    if not environment:
        return
    yield Key(EXECUTION_ENVIRONMENT, namespace, environment)
    for version in known.referring(CUSTOM_MODEL_VERSION, namespace, "environmentRef.name", environment):
        yield Key(CUSTOM_MODEL_VERSION, namespace, _name(version))


def _running_tests(namespace: str, version: str, known: Lookup) -> Iterator[Key]:
    for test in known.referring(MODEL_TEST, namespace, "versionRef.name", version):
        if not (test.get("status") or {}).get("completedAt"):
            yield Key(MODEL_TEST, namespace, _name(test))


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def _reference(manifest: Manifest, field: str) -> str:
    return str(manifest["spec"][field]["name"])


def _owner(manifest: Manifest) -> Mapping[str, Any]:
    """The controlling owner's name by its kind, if the kind is one of ours."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    return {
        owner["kind"]: owner["name"]
        for owner in owners
        if owner.get("controller") and owner.get("apiVersion") == labels.API_VERSION
    }
