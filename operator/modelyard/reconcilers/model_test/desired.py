"""What a test needs while it runs, and what must not be left of it when it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelyard.api import labels
from modelyard.api.check_plan import CheckStatus
from modelyard.api.kinds import CONFIG_MAP, DEPLOYMENT, JOB, NETWORK_POLICY, SERVICE
from modelyard.manifests.dedicated import copy_wall, dedicated
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.test_job import objects
from modelyard.reconcilers.model_test.ending import ending
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.plan import test_run
from modelyard.reconcilers.model_test.verdict import runs
from modelyard.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """Objects to delete, and objects to apply in order."""

    apply: tuple[Manifest, ...] = ()
    delete: tuple[Manifest, ...] = ()
    starts: bool = False
    """Whether the last of what is applied is the Job."""


def desired(facts: Facts, settings: Settings) -> Plan:
    """A copy for a test by hand that has its turn, the Job once all is ready, and nothing for any other."""
    if facts.is_over or ending(facts):
        return Plan(delete=tuple(_leftovers(facts)))
    if runs(facts):
        return Plan(apply=tuple(_wall(facts, settings)))
    if not facts.has_turn:
        return Plan(delete=tuple(_copy(facts)))
    run = test_run(facts)
    made = [*_dedicated(facts, settings), *(objects(run, settings) if run else [])]
    return Plan(apply=tuple(made), starts=run is not None)


def _dedicated(facts: Facts, settings: Settings) -> list[Manifest]:
    if facts.is_of_gate or facts.frozen is None:
        return []
    return dedicated(facts.owner, facts.frozen, facts.test.spec, settings)


def _wall(facts: Facts, settings: Settings) -> Iterator[Manifest]:
    """Of what runs only the wall is kept up: pods that somebody removed under a test are its end."""
    if not facts.is_of_gate and facts.frozen is not None:
        yield copy_wall(facts.owner, facts.frozen, facts.test.spec, settings)


def _leftovers(facts: Facts) -> Iterator[Manifest]:
    """All that was made for a test by hand or for one that is canceled, but for the Job of a test that ended by
    itself, whose pod has the log. What else the gate ran stays as it is."""
    canceled = _is_canceled(facts)
    if facts.is_of_gate and not canceled:
        return
    yield from (child for child in facts.children if canceled and child["kind"] == JOB.name)
    yield from _copy(facts)
    yield from (child for child in facts.children if _is_of_run(child))


def _is_canceled(facts: Facts) -> bool:
    summary = ending(facts)
    said = facts.test.status.overall_status if facts.is_over else summary and summary.overall_status
    return said == CheckStatus.CANCELED


def _copy(facts: Facts) -> Iterator[Manifest]:
    """The copy of the version. Walls stand for as long as there are pods; a later pass takes them away."""
    for child in facts.children:
        stands = child["metadata"]["name"] in facts.peopled
        if child["kind"] in (DEPLOYMENT.name, SERVICE.name) or (
            child["kind"] == NETWORK_POLICY.name and not stands
        ):
            yield child


def _is_of_run(child: Manifest) -> bool:
    """The plan and the data that a Job mounts; a report is not among them."""
    return child["kind"] == CONFIG_MAP.name and labels.WORKLOAD in child["metadata"]["labels"]
