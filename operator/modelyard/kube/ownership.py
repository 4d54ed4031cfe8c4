"""Whose is an object of the name that we want? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelyard.api import labels
from modelyard.kube.errors import ApiError, Conflict, NameTaken


def obstacle(live: Mapping[str, Any], desired: Mapping[str, Any]) -> ApiError | None:
    """Why `desired` must not be applied over `live`, or None when `live` is that very child of ours.

    The controlling owner's uid decides: nobody else has it by chance. Conflict when it is a child of an
    earlier object of the same name, which Kubernetes is about to collect.
    """
    mine, theirs = _controller(desired), _controller(live)
    if mine.get("uid") == theirs.get("uid") and (mine or _is_labelled(live)):
        return None
    what = (
        f"{desired['kind']} {desired['metadata']['name']!r} in namespace {desired['metadata']['namespace']!r}"
    )
    if _is_labelled(live) and mine and _names(mine) == _names(theirs):
        return Conflict(
            f"{what} still belongs to a deleted {mine['kind']} of the same name; it will be replaced"
        )
    return NameTaken(f"{what} exists and was not made by Modelyard: rename or delete it")


def _controller(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = manifest["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def _names(owner: Mapping[str, Any]) -> tuple[Any, ...]:
    return owner.get("apiVersion"), owner.get("kind"), owner.get("name")


def _is_labelled(manifest: Mapping[str, Any]) -> bool:
    found = manifest["metadata"].get("labels") or {}
    return bool(found.get(labels.MANAGED_BY) == labels.MANAGED_BY_VALUE)
