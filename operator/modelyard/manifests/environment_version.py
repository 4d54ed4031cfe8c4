"""The version of an ExecutionEnvironment: what the environment says at one moment, numbered and kept."""

from __future__ import annotations

from typing import Any

from modelyard.api import labels
from modelyard.api.digests import canonical_hash
from modelyard.api.execution_environment import ExecutionEnvironmentSpec
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersionSpec
from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name


def environment_version(owner: Owner, spec: ExecutionEnvironmentSpec, number: int) -> Manifest:
    """The ExecutionEnvironmentVersion with this number."""
    content = _content(spec)
    child = Child(
        EXECUTION_ENVIRONMENT_VERSION,
        child_name(owner.name, canonical_hash([owner.name, content, number])),
        owner,
        {labels.OF_ENVIRONMENT: owner.name},
    )
    return child.manifest(spec={"environmentRef": {"name": owner.name}, "number": number, **content})


def is_current(version: ExecutionEnvironmentVersionSpec, spec: ExecutionEnvironmentSpec) -> bool:
    """Whether a version is what its environment says now."""
    kept = version.to_json()
    return all(kept.get(field) == value for field, value in _content(spec).items())


def _content(spec: ExecutionEnvironmentSpec) -> dict[str, Any]:
    """The fields that decide what runs."""
    return {
        "image": spec.image,
        "label": spec.label,
        "imagePullSecrets": [ref.to_json() for ref in spec.image_pull_secrets],
        "startCommand": list(spec.start_command),
    }
