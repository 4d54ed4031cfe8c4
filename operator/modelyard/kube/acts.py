"""The doing half of a pass: apply and delete in order, and say in one value what the server refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from modelyard.api.kinds import (
    CONTROLLER_REVISION,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    kind_of,
)
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.kube.errors import ApiError, Forbidden, Invalid, NameTaken
from modelyard.status.refusal import Refusal

_REFUSALS = (NameTaken, Forbidden, Invalid)
_REASONS: Mapping[type[ApiError], Reason] = {
    NameTaken: Reason.NAME_TAKEN,
    Forbidden: Reason.FORBIDDEN,
    Invalid: Reason.INVALID_SPEC,
}
_SIDE_BY_SIDE = frozenset(
    kind.name for kind in (CONTROLLER_REVISION, NETWORK_POLICY, POD_DISRUPTION_BUDGET, SERVICE)
)
"""Kinds that do nothing by themselves: they may come in any order, before the pods that they are for. Not the code:
the record names it, and is not to stand without it."""


async def carry_out(
    cluster: Cluster, apply: Iterable[Manifest], delete: Iterable[Manifest]
) -> Refusal | None:
    """Apply, then delete, also where something was not applied; the first refusal."""
    refused = [await apply_all(cluster, apply), await delete_all(cluster, delete)]
    return next(filter(None, refused), None)


async def apply_all(cluster: Cluster, manifests: Iterable[Manifest]) -> Refusal | None:
    """Apply in order; stops at the first refusal, since what follows may rely on it.

    What is new and does nothing by itself is sent at once, and whatever comes next waits for all of it.
    """
    for quiet, group in groupby(manifests, lambda manifest: manifest["kind"] in _SIDE_BY_SIDE):
        refusal = await (_apply_together if quiet else _apply_in_order)(cluster, list(group))
        if refusal is not None:
            return refusal
    return None


async def delete_all(cluster: Cluster, manifests: Iterable[Manifest]) -> Refusal | None:
    """Delete these very objects in order; stops at the first refusal: walls and records come after what needs them.

    What is on its way out already is left alone.
    """
    for manifest in manifests:
        metadata, kind = manifest["metadata"], kind_of(manifest["apiVersion"], manifest["kind"])
        if metadata.get("deletionTimestamp"):
            continue
        try:
            await cluster.delete(kind, metadata["namespace"], metadata["name"], uid=metadata["uid"])
        except (Forbidden, Invalid) as error:  # a policy that denies a deletion answers either
            return Refusal(Reason.FORBIDDEN, str(error))
    return None


async def _apply_in_order(cluster: Cluster, manifests: Sequence[Manifest]) -> Refusal | None:
    for manifest in manifests:
        refusal = await _apply(cluster, manifest)
        if refusal is not None:
            return refusal
    return None


async def _apply_together(cluster: Cluster, manifests: Sequence[Manifest]) -> Refusal | None:
    """Those that exist, one after the other: as a rule there is nothing to do for them. The first refusal of all."""
    known, new = list[Manifest](), list[Manifest]()
    for manifest in manifests:
        (known if _is_known(cluster, manifest) else new).append(manifest)
    if len(new) < 2:
        return await _apply_in_order(cluster, manifests)
    refusal = await _apply_in_order(cluster, known)
    if refusal is not None:
        return refusal
    errors = [error for error in await cluster.apply_each(new) if error is not None]
    for error in errors:
        if not isinstance(error, _REFUSALS):
            raise error
    return _refusal(errors[0]) if errors else None


async def _apply(cluster: Cluster, manifest: Manifest) -> Refusal | None:
    try:
        await cluster.apply(manifest)
    except _REFUSALS as error:
        return _refusal(error)
    return None


def _refusal(error: ApiError) -> Refusal:
    return Refusal(_REASONS[type(error)], str(error))


def _is_known(cluster: Cluster, manifest: Manifest) -> bool:
    metadata = manifest["metadata"]
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    return cluster.get(kind, metadata["namespace"], metadata["name"]) is not None
