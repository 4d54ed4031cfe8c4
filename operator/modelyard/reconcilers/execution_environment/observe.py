"""Gather what a pass over an environment must know; everything is in the cache."""

from __future__ import annotations

from datetime import datetime

from modelyard.api import labels
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import EXECUTION_ENVIRONMENT, EXECUTION_ENVIRONMENT_VERSION
from modelyard.kube.cluster import Cluster
from modelyard.reconcilers.execution_environment.facts import Facts


def observe(cluster: Cluster, namespace: str, name: str, now: datetime) -> Facts | None:
    """The facts; None when the environment is gone or going."""
    manifest = cluster.get(EXECUTION_ENVIRONMENT, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    environment = ExecutionEnvironment.of(manifest)
    found = cluster.list(EXECUTION_ENVIRONMENT_VERSION, namespace, {labels.OF_ENVIRONMENT: name})
    versions = [ExecutionEnvironmentVersion.of(version) for version in found]
    ours = [version for version in versions if _is_owned_by(version, environment)]
    return Facts(now, environment, tuple(sorted(ours, key=lambda version: version.spec.number)))


def _is_owned_by(version: ExecutionEnvironmentVersion, environment: ExecutionEnvironment) -> bool:
    return any(reference.uid == environment.metadata.uid for reference in version.metadata.owner_references)
