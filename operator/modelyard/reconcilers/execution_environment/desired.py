"""The version that an environment should have. Pure."""

from __future__ import annotations

from modelyard.manifests.environment_version import environment_version, is_current
from modelyard.manifests.metadata import Manifest
from modelyard.reconcilers.execution_environment.facts import Facts


def desired(facts: Facts) -> list[Manifest]:
    """The newest version, made anew when what it says is no longer what the environment says.

    Going back to an earlier image makes a new version too: that is how a tag is resolved again.
    """
    newest, spec = facts.newest, facts.environment.spec
    number = newest.spec.number if newest else 0
    if newest is None or not is_current(newest.spec, spec):
        number += 1
    return [environment_version(facts.owner, spec, number)]
