"""What a pass over an environment found: the state of its newest version. Pure."""

from __future__ import annotations

from typing import Any

from modelyard.api.meta import Condition
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.reconcilers.execution_environment.facts import Facts
from modelyard.status.assessment import RETRY, Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, unknown
from modelyard.status.outcomes import Settled, Waiting
from modelyard.status.refusal import Refusal


def assess(facts: Facts, refusal: Refusal | None, *, current: str) -> Assessment:
    """The whole status of an environment; `current` names the version that it should have."""
    said = _said(facts, current)
    ready = _mirror(said, Type.READY, unknown(Type.READY, Reason.NOT_STARTED))
    pinned = _mirror(said, Type.PINNED, unknown(Type.PINNED, Reason.NOT_STARTED))
    stalled = _mirror(said, Type.STALLED, false(Type.STALLED, Reason.AS_DESIRED))
    if refusal:
        ready = false(Type.READY, refusal.reason, refusal.message)
    status = status_of(
        facts.environment.metadata,
        facts.environment.status.conditions,
        [ready, pinned, *kstatus(ready, stalled=stalled.status == "True")],
        now=facts.now,
        latestVersion=_latest(facts, current),
    )
    return Assessment(status, Waiting(RETRY) if refusal else Settled())


def _latest(facts: Facts, current: str) -> dict[str, Any] | None:
    newest = facts.newest
    if newest is None or newest.metadata.name != current or newest.status.image is None:
        return None
    image, digest = newest.status.image, newest.status.digest
    latest = {"name": current, "number": newest.spec.number, "image": image}
    return {**latest, "digest": digest} if digest else latest


def _said(facts: Facts, current: str) -> dict[str, Condition]:
    """The conditions of the version that the environment should have, once there is one."""
    newest = facts.newest
    if newest is None or newest.metadata.name != current:
        return {}
    return {condition.type: condition for condition in newest.status.conditions}


def _mirror(said: dict[str, Condition], type: Type, otherwise: Finding) -> Finding:
    condition = said.get(str(type))
    if condition is None:
        return otherwise
    return Finding(type, condition.status, Reason(condition.reason), condition.message)
