"""Gather what a pass over an environment version must know; the registry is asked until it has answered once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION, SECRET
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.kube.errors import Forbidden
from modelyard.reconcilers.execution_environment_version.facts import Facts, Resolution

Resolve = Callable[[str, Sequence[Manifest]], Awaitable[Resolution]]
"""Ask a registry for the digest of an image, with these pull Secrets; never raises for what it may answer."""


async def observe(
    cluster: Cluster, resolve: Resolve, namespace: str, name: str, now: datetime
) -> Facts | None:
    """The facts; None when the version is gone or going."""
    manifest = cluster.get(EXECUTION_ENVIRONMENT_VERSION, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    version = ExecutionEnvironmentVersion.of(manifest)
    if version.status.image:
        return Facts(now, version, None)
    secrets = await _secrets(cluster, version)
    return Facts(now, version, await resolve(version.spec.image, secrets))


async def _secrets(cluster: Cluster, version: ExecutionEnvironmentVersion) -> list[Manifest]:
    """The named pull Secrets that exist; the only Secrets that the operator ever reads."""
    found = []
    for ref in version.spec.image_pull_secrets:
        try:
            secret = await cluster.read(SECRET, version.metadata.namespace, ref.name)
        except Forbidden:
            continue
        if secret:
            found.append(secret)
    return found
