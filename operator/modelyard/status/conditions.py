"""Conditions as the Kubernetes API conventions want them, built and merged without a clock of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from modelyard.api.reasons import ConditionType, Reason

Truth = Literal["True", "False", "Unknown"]

MESSAGE_LIMIT = 2048
"""Longest message that we write, in characters; the API allows 32768, `kubectl get` none of it."""

ORDER = {name: position for position, name in enumerate(ConditionType)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition as a pass sees it, before it is merged into what the object says already."""

    type: ConditionType
    status: Truth
    reason: Reason
    message: str = ""


def true(type: ConditionType, reason: Reason, message: str = "") -> Finding:
    """The condition holds."""
    return Finding(type, "True", reason, message)


def false(type: ConditionType, reason: Reason, message: str = "") -> Finding:
    """The condition does not hold."""
    return Finding(type, "False", reason, message)


def unknown(type: ConditionType, reason: Reason, message: str = "") -> Finding:
    """Not decided yet."""
    return Finding(type, "Unknown", reason, message)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the API server writes it."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def merge(
    previous: Iterable[Mapping[str, Any]], found: Iterable[Finding], *, generation: int, now: datetime
) -> list[dict[str, Any]]:
    """The conditions to write: `lastTransitionTime` moves only where `status` does, order is fixed."""
    before = {condition["type"]: condition for condition in previous}
    merged = [_merged(before.get(str(finding.type)), finding, generation, now) for finding in found]
    return sorted(merged, key=lambda condition: ORDER[ConditionType(condition["type"])])


def _merged(
    before: Mapping[str, Any] | None, finding: Finding, generation: int, now: datetime
) -> dict[str, Any]:
    moved = before is None or before["status"] != finding.status
    return {
        "type": str(finding.type),
        "status": finding.status,
        "reason": str(finding.reason),
        "message": shorten(finding.message),
        "observedGeneration": generation,
        "lastTransitionTime": timestamp(now) if before is None or moved else before["lastTransitionTime"],
    }


def shorten(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """At most `limit` characters; what is cut shows as an ellipsis."""
    return message if len(message) <= limit else message[: limit - 1] + "…"
