"""The ModelTest that the gate runs against a candidate."""

from __future__ import annotations

from modelyard.api import labels
from modelyard.api.custom_model import GateTest
from modelyard.api.kinds import MODEL_TEST
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name
from modelyard.roles.gate import test_hash


def gate_test_name(frozen: Frozen, test: GateTest) -> str:
    """Name of the ModelTest of one gate test for one version: `<version>-<test>-<hash>`."""
    unique = test_hash(test, key=frozen.key, template_hash=frozen.template_hash)
    return child_name(f"{frozen.version}-{test.name}", unique)


def gate_test(frozen: Frozen, model: Owner, test: GateTest) -> Manifest:
    """The ModelTest; `test` must hold its contents, not their digests."""
    child = Child(
        MODEL_TEST,
        gate_test_name(frozen, test),
        model,
        {labels.OF_MODEL: frozen.model, labels.OF_VERSION: frozen.key},
    )
    dataset = test.dataset.to_json() if test.dataset else None
    return child.manifest(
        spec={
            "versionRef": {"name": frozen.version},
            "configuration": test.configuration.to_json(),
            "timeoutSeconds": test.timeout_seconds,
            **({"dataset": dataset} if dataset else {}),
        }
    )
