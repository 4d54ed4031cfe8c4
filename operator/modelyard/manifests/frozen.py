"""What a version runs, decided once: the frozen record in a ControllerRevision, and the way back from it.

Every pass applies what is kept here. It outlives the version's object, so that what serves keeps serving.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import CONTROLLER_REVISION
from modelyard.api.plain_digests import plain_hash
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name


@dataclass(frozen=True)
class Frozen:
    """One version's workload: enough to build every child but the code itself."""

    key: str
    version: str
    label: str
    model: str
    template: dict[str, Any]
    replicas: int
    requires_ha: bool
    egress: str
    startup_seconds: int
    image: str
    code_digest: str
    environment: str
    environment_number: int

    @cached_property
    def template_hash(self) -> str:
        """8 hex digits of the rendered pod template: what a verdict binds to."""
        return plain_hash(self.template)

    @property
    def workload(self) -> str:
        """Name of the Deployment, and of the ControllerRevision, per-version Service and policies."""
        return child_name(self.version, self.template_hash)

    @property
    def child_labels(self) -> dict[str, str]:
        """Labels of this version's children that are not pods."""
        return {labels.OF_MODEL: self.model, labels.OF_VERSION: self.key}


_DATA = {
    "key": "key",
    "version": "version",
    "label": "label",
    "model": "model",
    "template": "template",
    "replicas": "replicas",
    "requires_ha": "requiresHa",
    "egress": "egress",
    "startup_seconds": "startupSeconds",
    "image": "image",
    "code_digest": "codeDigest",
    "environment": "environment",
    "environment_number": "environmentNumber",
}


def revision(frozen: Frozen, owner: Owner) -> Manifest:
    """The ControllerRevision that keeps a frozen workload."""
    child = Child(CONTROLLER_REVISION, frozen.workload, owner, frozen.child_labels)
    data = {wire: getattr(frozen, attribute) for attribute, wire in _DATA.items()}
    return child.manifest(revision=1, data=data)


def kept(revisions: Iterable[Manifest], owner_uid: str) -> Frozen | None:
    """The record that counts of those of one version: the oldest that belongs to the model as it is now.

    A model of the same name that was deleted may have left some, which are about to be collected.
    """
    ours = [revision for revision in revisions if _owner_uid(revision) == owner_uid]
    oldest = min(ours, key=_age, default=None)
    return from_revision(oldest) if oldest else None


def from_revision(manifest: Manifest) -> Frozen:
    """The frozen workload that a ControllerRevision keeps; KeyError if it is not one of ours."""
    data = manifest["data"]
    return Frozen(**{attribute: data[wire] for attribute, wire in _DATA.items()})


def _owner_uid(manifest: Manifest) -> str | None:
    references: list[Manifest] = manifest["metadata"].get("ownerReferences", [])
    return next((reference["uid"] for reference in references if reference.get("controller")), None)


def _age(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["creationTimestamp"], manifest["metadata"]["name"]
