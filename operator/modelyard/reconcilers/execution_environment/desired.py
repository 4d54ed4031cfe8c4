"""The version that an environment should have. Pure."""

from __future__ import annotations

from typing import Any

from modelyard.api import labels
from modelyard.api.digests import canonical_hash
from modelyard.api.execution_environment import ExecutionEnvironmentSpec
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION
from modelyard.manifests.metadata import Child, Manifest
from modelyard.manifests.names import child_name
from modelyard.reconcilers.execution_environment.facts import Facts


def desired(facts: Facts) -> list[Manifest]:
    """The newest version, made anew when what it says is no longer what the environment says.

    Going back to an earlier image makes a new version too: that is how a tag is resolved again.
    """
    content = _content(facts.environment.spec)
    newest = facts.newest
    number = (newest.spec.number if newest else 0) + (0 if newest and _same(newest, content) else 1)
    name = facts.environment.metadata.name
    child = Child(
        EXECUTION_ENVIRONMENT_VERSION,
        child_name(name, canonical_hash([content, number])),
        facts.owner,
        {labels.OF_ENVIRONMENT: name},
    )
    return [child.manifest(spec={"environmentRef": {"name": name}, "number": number, **content})]


def _content(spec: ExecutionEnvironmentSpec) -> dict[str, Any]:
    """The fields that decide what runs."""
    return {
        "image": spec.image,
        "label": spec.label,
        "imagePullSecrets": [ref.to_json() for ref in spec.image_pull_secrets],
        "startCommand": list(spec.start_command),
    }


def _same(version: ExecutionEnvironmentVersion, content: dict[str, Any]) -> bool:
    spec = version.spec.to_json()
    return all(spec.get(field) == value for field, value in content.items())
