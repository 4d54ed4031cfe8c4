"""The Deployment of a version."""

from __future__ import annotations

from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import DEPLOYMENT
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner

PROGRESS_MARGIN = 30
"""Seconds beyond the startup timeout (scheduling, pulling) before a start counts as failed."""


def deployment(frozen: Frozen, owner: Owner, *, replicas: int) -> Manifest:
    """The Deployment with the frozen template; its name and selector hold the template's hash."""
    child = Child(DEPLOYMENT, frozen.workload, owner, frozen.child_labels)
    return running(frozen, child, replicas=replicas)


def running(frozen: Frozen, child: Child, *, replicas: int) -> Manifest:
    """A Deployment of any name with this template; its pods carry its name."""
    workload = {labels.WORKLOAD: child.name}
    template = frozen.template
    pod_labels = {**template["metadata"]["labels"], **workload}
    return child.manifest(
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": workload},
            "strategy": _strategy(frozen),
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": frozen.startup_seconds + PROGRESS_MARGIN,
            "template": {**template, "metadata": {**template["metadata"], "labels": pod_labels}},
        }
    )


def _strategy(frozen: Frozen) -> dict[str, Any]:
    """With one pod a node there is no room for a surge: one goes down first."""
    surge, unavailable = (0, 1) if frozen.requires_ha and frozen.replicas >= 2 else (1, 0)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
