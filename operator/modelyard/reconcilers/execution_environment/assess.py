"""What a pass over an environment found: the state of its newest version. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.reconcilers.execution_environment.facts import Facts
from modelyard.status.conditions import Finding, false, merge, unknown
from modelyard.status.outcomes import Outcome, Settled, Waiting
from modelyard.status.refusal import Refusal

RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The status to write, and when to look again."""

    status: dict[str, Any]
    outcome: Outcome


def assess(facts: Facts, refusal: Refusal | None, *, current: str) -> Assessment:
    """The whole status of an environment; `current` names the version that it should have."""
    newest = facts.newest if facts.newest and facts.newest.metadata.name == current else None
    ready, pinned, stalled = _mirrored(facts, current)
    if refusal:
        ready = false(Type.READY, refusal.reason, refusal.message)
    reconciling = ready.status != "True" and stalled.status != "True"
    found = [
        ready,
        pinned,
        Finding(Type.RECONCILING, "True" if reconciling else "False", ready.reason, ready.message)
        if reconciling
        else false(Type.RECONCILING, Reason.AS_DESIRED),
        stalled,
    ]
    meta = facts.environment.metadata
    before = [condition.to_json() for condition in facts.environment.status.conditions]
    status: dict[str, Any] = {
        "observedGeneration": meta.generation,
        "conditions": merge(before, found, generation=meta.generation, now=facts.now),
    }
    if newest and newest.status.image:
        latest = {
            "name": newest.metadata.name,
            "number": newest.spec.number,
            "image": newest.status.image,
            "digest": newest.status.digest,
        }
        status["latestVersion"] = {name: value for name, value in latest.items() if value is not None}
    return Assessment(status, Waiting(RETRY) if refusal else Settled())


def _mirrored(facts: Facts, current: str) -> tuple[Finding, Finding, Finding]:
    """Ready, Pinned and Stalled as the newest version says them."""
    newest = facts.newest
    said = {c.type: c for c in newest.status.conditions} if newest and newest.metadata.name == current else {}

    def mirror(type: Type, otherwise: Finding) -> Finding:
        condition = said.get(str(type))
        if condition is None:
            return otherwise
        return Finding(type, condition.status, Reason(condition.reason), condition.message)

    return (
        mirror(Type.READY, unknown(Type.READY, Reason.NOT_STARTED)),
        mirror(Type.PINNED, unknown(Type.PINNED, Reason.NOT_STARTED)),
        mirror(Type.STALLED, false(Type.STALLED, Reason.AS_DESIRED)),
    )
