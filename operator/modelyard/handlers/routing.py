"""Which passes a changed object wakes. Pure, and generous: a pass too many writes nothing, one too few is a bug.

ExecutionEnvironment, its versions   the environment, and the model versions that name it
anything that belongs to a model     the model, all its versions, and the tests of these that still run
ModelTest, and what is made for it   the test, and all of the above for the model under test or that gave it its turn
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


def woken(kind: Kind, namespace: str, states: Iterable[Manifest | None], known: Lookup) -> set[Key]:
    """The keys to pass over when an object went from one state to another (None: there was or is none)."""
    keys: set[Key] = set()
    for manifest in states:
        if manifest is not None:
            route = _ROUTES.get(kind, _child)
            keys.update(route(namespace, manifest, known))
    return keys


def _environment(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_environment(namespace, _name(manifest), known)


def _environment_version(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(EXECUTION_ENVIRONMENT_VERSION, namespace, _name(manifest))
    yield from _around_environment(namespace, _reference(manifest, "environmentRef"), known)


def _model(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_model(namespace, _name(manifest), known)


def _version(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(CUSTOM_MODEL_VERSION, namespace, _name(manifest))
    yield from _running_tests(namespace, _name(manifest), known)
    yield from _around_model(namespace, _reference(manifest, "modelRef"), known)


def _ledger(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield from _around_model(namespace, manifest["spec"]["modelName"], known)


def _test(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    yield Key(MODEL_TEST, namespace, _name(manifest))
    version = known.get(CUSTOM_MODEL_VERSION, namespace, _reference(manifest, "versionRef"))
    if version is not None:
        yield from _around_model(namespace, _reference(version, "modelRef"), known)
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


def _child(namespace: str, manifest: Manifest, known: Lookup) -> Iterator[Key]:
    """What a child belongs to, by its labels and by its controlling owner."""
    found = manifest["metadata"].get("labels") or {}
    owner = _owner(manifest)
    for model in {found.get(labels.OF_MODEL), found.get(labels.MODEL), owner.get(CUSTOM_MODEL.name)}:
        yield from _around_model(namespace, model, known)
    for environment in {found.get(labels.OF_ENVIRONMENT), owner.get(EXECUTION_ENVIRONMENT.name)}:
        yield from _around_environment(namespace, environment, known)
    for test in {found.get(labels.OF_TEST), owner.get(MODEL_TEST.name)} - {None}:
        yield Key(MODEL_TEST, namespace, str(test))


def _around_model(namespace: str, model: str | None, known: Lookup) -> Iterator[Key]:
    if not model:
        return
    yield Key(CUSTOM_MODEL, namespace, model)
    for version in known.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", model):
        yield Key(CUSTOM_MODEL_VERSION, namespace, _name(version))
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
