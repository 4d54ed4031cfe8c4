"""What every assessment ends in: a status to write, and when to look again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.meta import Condition, ObjectMeta
from modelyard.api.reasons import ConditionType, Reason
from modelyard.status.conditions import Finding, false, merge, true
from modelyard.status.outcomes import Outcome

RETRY = timedelta(seconds=30)
"""When to look again at what no watch tells us of: a user's ConfigMap, a name that was taken."""

GRACE = timedelta(seconds=30)
"""How long something named may be waited for before that counts: `Ready` of a version turns from Unknown to False, and
a test that is not required is given up."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The status to write, and when to look again."""

    status: dict[str, Any]
    outcome: Outcome


def kstatus(ready: Finding, *, stalled: bool) -> list[Finding]:
    """Reconciling and Stalled beside Ready, as generic tools read them: at most one of the two is True."""
    active = ready.status != "True" and not stalled
    return [
        _echo(ConditionType.RECONCILING, ready, holds=active),
        _echo(ConditionType.STALLED, ready, holds=stalled),
    ]


def _echo(type: ConditionType, ready: Finding, *, holds: bool) -> Finding:
    return true(type, ready.reason, ready.message) if holds else false(type, Reason.AS_DESIRED)


def status_of(
    metadata: ObjectMeta,
    before: Sequence[Condition],
    found: Iterable[Finding],
    *,
    now: datetime,
    **fields: Any,
) -> dict[str, Any]:
    """A whole status: conditions merged into what was there, and those fields that have a value."""
    status = {
        "observedGeneration": metadata.generation,
        **fields,
        "conditions": merge(
            [condition.to_json() for condition in before], found, generation=metadata.generation, now=now
        ),
    }
    return {name: value for name, value in status.items() if value is not None}
