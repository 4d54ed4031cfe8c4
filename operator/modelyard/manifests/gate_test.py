"""The ModelTest that the gate runs against a candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.api import labels
from modelyard.api.custom_model import GateTest
from modelyard.api.kinds import MODEL_TEST
from modelyard.api.meta import ObjectRef
from modelyard.api.model_test import ModelTestSpec
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name
from modelyard.roles.gate import test_hash

_USERS = frozenset({"cancel", "ttlSecondsAfterFinished"})


def gate_test_name(frozen: Frozen, test: GateTest) -> str:
    """Name of the ModelTest of one gate test for one version: `<version>-<test>-<hash>`."""
    unique = test_hash(test, key=frozen.key, template_hash=frozen.template_hash)
    return child_name(f"{frozen.version}-{test.name}", unique)


def is_asked(known: Mapping[str, ModelTestSpec], frozen: Frozen, test: GateTest) -> bool:
    """Whether `known`, by name, holds this test of the gate for this version, and it asks what the gate asks.

    A ModelTest of the right name that asks less must never count: anybody may create one.
    """
    found = known.get(gate_test_name(frozen, test))
    return found is not None and _asked(found) == _asked(_spec(frozen, test))


def gate_test(frozen: Frozen, model: Owner, test: GateTest) -> Manifest:
    """The ModelTest; `test` must hold its contents, not their digests."""
    child = Child(
        MODEL_TEST,
        gate_test_name(frozen, test),
        model,
        {labels.OF_MODEL: frozen.model, labels.OF_VERSION: frozen.key},
    )
    return child.manifest(spec=_asked(_spec(frozen, test)))


def gate_places(frozen: Frozen, tests: Sequence[GateTest]) -> dict[str, int]:
    """The place in the gate of each ModelTest that it runs against this version, by its name."""
    return {gate_test_name(frozen, test): place for place, test in enumerate(tests)}


def _asked(spec: ModelTestSpec) -> dict[str, Any]:
    """What a test asks, without what anybody may change in it while it runs: those fields are never ours."""
    return {field: value for field, value in spec.to_json().items() if field not in _USERS}


def _spec(frozen: Frozen, test: GateTest) -> ModelTestSpec:
    return ModelTestSpec(
        version_ref=ObjectRef(name=frozen.version),
        dataset=test.dataset,
        configuration=test.configuration,
        timeout_seconds=test.timeout_seconds,
    )
