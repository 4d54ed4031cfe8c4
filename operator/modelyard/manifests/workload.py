"""All children of one version, from its frozen record: the model's pass and the version's pass build the same."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.api.columns import InputColumn
from modelyard.api.custom_model import Caller
from modelyard.manifests.deployment import deployment
from modelyard.manifests.disruption_budget import disruption_budget
from modelyard.manifests.frozen import Frozen, revision
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.manifests.network_policy import version_policy
from modelyard.manifests.service import version_service
from modelyard.settings import Settings


def children(
    frozen: Frozen,
    owner: Owner,
    *,
    replicas: int,
    serves: bool,
    callers: Sequence[Caller],
    columns: Sequence[InputColumn],
    settings: Settings,
) -> list[Manifest]:
    """In the order of applying: what is frozen, then its walls, then the pods."""
    budget = [disruption_budget(frozen, owner)] if serves and frozen.replicas >= 2 else []
    return [
        revision(frozen, owner),
        version_policy(frozen, owner, callers=callers, settings=settings),
        version_service(frozen, owner, columns),
        *budget,
        deployment(frozen, owner, replicas=replicas),
    ]
