"""What is known of an image, as status: by digest, or by tag where only the kubelet can know it. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.reconcilers.execution_environment_version.facts import (
    Facts,
    Malformed,
    Resolved,
    Unresolved,
)
from modelyard.status.assessment import Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, true, unknown
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting

PATIENCE = timedelta(seconds=15)
"""How long a registry that can't be reached is asked again before the image is used by tag."""

RETRY = timedelta(seconds=3)


def assess(facts: Facts) -> Assessment | None:
    """The whole status of an environment version; None when its image was settled before."""
    resolution = facts.resolution
    match resolution:
        case None:
            return None
        case Resolved():
            text = f"resolved to {resolution.digest}"
            pinned, ready = true(Type.PINNED, Reason.RESOLVED, text), true(Type.READY, Reason.RESOLVED, text)
            return _assessment(facts, [ready, pinned], Settled(), resolution.image, resolution.digest)
        case Malformed():
            ready = false(Type.READY, Reason.INVALID_IMAGE, resolution.message)
            pinned = false(Type.PINNED, Reason.INVALID_IMAGE, resolution.message)
            return _assessment(facts, [ready, pinned], Stalled(), None, None)
        case Unresolved():
            return _unresolved(facts, resolution)
        case _:
            assert_never(resolution)


def _unresolved(facts: Facts, resolution: Unresolved) -> Assessment:
    reason = Reason.NOT_IN_REGISTRY if not resolution.may_answer_later else Reason.REGISTRY_UNAVAILABLE
    waited = facts.now - facts.version.metadata.creation_timestamp
    if resolution.may_answer_later and waited < PATIENCE:
        found = [
            unknown(Type.READY, reason, resolution.message),
            unknown(Type.PINNED, reason, resolution.message),
        ]
        return _assessment(facts, found, Waiting(RETRY), None, None)
    text = f"{resolution.message}; used by tag, each node runs what it finds or has"
    found = [true(Type.READY, Reason.USED_BY_TAG, text), false(Type.PINNED, reason, text)]
    return _assessment(facts, found, Settled(), facts.version.spec.image, None)


def _assessment(
    facts: Facts, found: list[Finding], outcome: Outcome, image: str | None, digest: str | None
) -> Assessment:
    progress = kstatus(found[0], stalled=isinstance(outcome, Stalled))
    meta, before = facts.version.metadata, facts.version.status.conditions
    status = status_of(meta, before, [*found, *progress], now=facts.now, image=image, digest=digest)
    return Assessment(status, outcome)
