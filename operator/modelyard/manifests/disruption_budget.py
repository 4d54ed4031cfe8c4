"""The disruption budget of a version that serves with two replicas or more."""

from __future__ import annotations

from modelyard.api import labels
from modelyard.api.kinds import POD_DISRUPTION_BUDGET
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner


def disruption_budget(frozen: Frozen, owner: Owner) -> Manifest:
    """One pod at a time may be evicted; broken pods always may, or a drain would hang on them."""
    child = Child(POD_DISRUPTION_BUDGET, frozen.workload, owner, frozen.child_labels)
    return child.manifest(
        spec={
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {labels.SERVES: frozen.key}},
        }
    )
