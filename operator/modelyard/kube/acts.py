"""The doing half of a pass: apply and delete in order, and say in one value what the server refused."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.api.kinds import kind_of
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.kube.errors import Forbidden, Invalid, NameTaken
from modelyard.status.refusal import Refusal

_REASONS = {NameTaken: Reason.NAME_TAKEN, Forbidden: Reason.FORBIDDEN, Invalid: Reason.INVALID_SPEC}


async def apply_all(cluster: Cluster, manifests: Iterable[Manifest]) -> Refusal | None:
    """Apply in order; stops at the first refusal, since what follows may rely on it."""
    for manifest in manifests:
        try:
            await cluster.apply(manifest)
        except (NameTaken, Forbidden, Invalid) as error:
            return Refusal(_REASONS[type(error)], str(error))
    return None


async def delete_all(cluster: Cluster, manifests: Iterable[Manifest]) -> None:
    """Delete these very objects; those that are on their way out already are left alone."""
    for manifest in manifests:
        metadata = manifest["metadata"]
        if metadata.get("deletionTimestamp"):
            continue
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        await cluster.delete(kind, metadata["namespace"], metadata["name"], uid=metadata["uid"])
