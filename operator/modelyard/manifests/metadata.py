"""What every child of ours carries: our labels and the owner by which Kubernetes collects it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import Kind

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that a child belongs to; deleting it deletes the child."""

    kind: Kind
    namespace: str
    name: str
    uid: str

    def reference(self) -> Manifest:
        """The controller owner reference."""
        return {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }


def is_owned_by(manifest: Mapping[str, Any], uid: str) -> bool:
    """Whether this very object, and not a former one of its name, owns the manifest."""
    return uid in _owners(manifest)


def is_of_another(manifest: Mapping[str, Any], uid: str) -> bool:
    """Whether the manifest has an owner, and it is not this one."""
    owners = _owners(manifest)
    return bool(owners) and uid not in owners


def _owners(manifest: Mapping[str, Any]) -> list[str]:
    return [reference["uid"] for reference in manifest["metadata"].get("ownerReferences", [])]


@dataclass(frozen=True, slots=True)
class Child:
    """Where a child stands: kind, name, owner, and labels beside the one that all of ours carry; annotations."""

    kind: Kind
    name: str
    owner: Owner
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def manifest(self, **body: Any) -> Manifest:
        """The whole manifest with this body (`spec`, `data`, ...)."""
        return {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {
                "name": self.name,
                "namespace": self.owner.namespace,
                "labels": {labels.MANAGED_BY: labels.MANAGED_BY_VALUE, **self.labels},
                **({"annotations": dict(self.annotations)} if self.annotations else {}),
                "ownerReferences": [self.owner.reference()],
            },
            **body,
        }
