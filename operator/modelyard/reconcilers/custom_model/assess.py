"""What a pass over a model found, as conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from modelyard.api.meta import Condition
from modelyard.api.model_ledger import ServingFact, VersionFact
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.manifests.service import stable_url
from modelyard.reconcilers.custom_model.desired import made_anew_at
from modelyard.reconcilers.custom_model.facts import Facts, ready_pods
from modelyard.roles.gate import failures
from modelyard.roles.roles import candidate, drain_ends, fact_of, is_refused, newest
from modelyard.settings import Settings
from modelyard.status.assessment import RETRY, Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, true, unknown
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting
from modelyard.status.pods import diagnose, is_ready
from modelyard.status.refusal import Refusal

SOON = timedelta(seconds=1)


def assess(facts: Facts, refusal: Refusal | None, settings: Settings) -> Assessment:
    """The whole status of a model after a pass."""
    available = _available(facts)
    ready = _ready(facts, refusal, available)
    stalled = ready.status == "False" and ready.reason in (Reason.CANDIDATE_REJECTED, Reason.INVALID_SPEC)
    found = [ready, available, *kstatus(ready, stalled=stalled)]
    return Assessment(_status(facts, found, settings), _outcome(facts, refusal, stalled))


def _status(facts: Facts, found: list[Finding], settings: Settings) -> dict[str, Any]:
    meta, serving = facts.model.metadata, facts.ledger.serving
    latest = newest(live=facts.live, ledger=facts.ledger)
    next_up = _candidate(facts)
    return status_of(
        meta,
        facts.model.status.conditions,
        found,
        now=facts.now,
        versions=len(facts.live),
        latestVersion=latest.name if latest else None,
        candidate={"name": next_up.name, "label": next_up.label} if next_up else None,
        serving={**_who_serves(serving), **_digest(facts, serving.key)} if serving else None,
        address={"url": stable_url(meta.namespace, meta.name, settings.cluster_domain)}
        if _is_ours(serving)
        else None,
    )


def _is_ours(serving: ServingFact | None) -> bool:
    """Whether the model's Service was ever seen to send to a version: before that its name may be another's."""
    return serving is not None and (serving.switched_at is not None or serving.previous_key is not None)


def _who_serves(serving: ServingFact) -> dict[str, Any]:
    return serving.model_copy(update={"switched_at": None, "previous_key": None}).to_json()


def _digest(facts: Facts, key: str) -> dict[str, str]:
    workload = facts.workloads.get(key)
    _, at, digest = workload.frozen.image.partition("@") if workload else ("", "", "")
    return {"digest": digest} if at else {}


def _available(facts: Facts) -> Finding:
    """Whether some version answers callers."""
    serving = facts.ledger.serving
    if serving is None:
        return false(Type.AVAILABLE, Reason.NOT_SERVING, "no version has passed its tests yet")
    answers, who = ready_pods(facts.stable_endpoints), f'version "{serving.name}" ({serving.label})'
    if _is_switching(facts):
        found = true if answers else false
        return found(Type.AVAILABLE, Reason.PROMOTING, f"{who} takes over")
    if answers:
        return true(Type.AVAILABLE, Reason.SERVING, f"{who} serves")
    return false(Type.AVAILABLE, Reason.DEGRADED, f"no pod of {who} is ready")


def _ready(facts: Facts, refusal: Refusal | None, available: Finding) -> Finding:
    if refusal:
        return false(Type.READY, refusal.reason, refusal.message)
    short = _shortage(facts)
    if short:
        return short
    if facts.ledger.serving and _is_switching(facts):
        text = f'version "{facts.ledger.serving.name}" takes over; its endpoints are awaited'
        return unknown(Type.READY, Reason.PROMOTING, text)
    next_up = _candidate(facts)
    if next_up:
        return _ready_under_way(facts, next_up, available)
    return _ready_at_rest(facts, available)


def _ready_under_way(facts: Facts, next_up: VersionFact, available: Finding) -> Finding:
    who, serves = f'version "{next_up.name}" ({next_up.label})', facts.ledger.serving is not None
    waits = facts.waiting.get(next_up.key)
    text = _how_it_goes(who, waits)
    if waits and not serves:
        return Finding(Type.READY, waits.status, Reason(waits.reason), text)
    return unknown(Type.READY, Reason.PROGRESSING, f"{text}; {available.message}" if serves else text)


def _how_it_goes(who: str, said: Condition | None) -> str:
    """Of a candidate; a server that ends is given its time, and it is told at once what is wrong with it."""
    if said is None:
        return f"{who} is being started and tested"
    message = said.message.rstrip(".")
    return f"{who} waits: {message}" if said.status == "False" else f"{who} is not up: {message}"


def _is_switching(facts: Facts) -> bool:
    serving = facts.ledger.serving
    return serving is not None and serving.switched_at is None


def _ready_at_rest(facts: Facts, available: Finding) -> Finding:
    """Nothing is under way: either the newest serves, or it was refused, or it waits for a label."""
    refused = _refused_newest(facts)
    if refused:
        why = _why_refused(refused).rstrip(".")
        serves = f"; {available.message}" if available.status == "True" else "; nothing serves"
        text = f'version "{refused.name}" ({refused.label}) was refused: {why}{serves}'
        return false(Type.READY, Reason.CANDIDATE_REJECTED, text)
    serving = facts.ledger.serving
    if serving is None and not facts.live:
        return true(Type.READY, Reason.NO_VERSIONS, "waits for its first CustomModelVersion")
    if serving is None:
        return unknown(Type.READY, Reason.PROGRESSING, "no version has a label yet; see the versions' status")
    if serving.key not in facts.live:
        text = f'version "{serving.name}" ({serving.label}) was deleted and serves until another version does'
        return true(Type.READY, Reason.SERVING_VERSION_DELETED, text)
    return true(Type.READY, Reason.SERVING, available.message)


def _shortage(facts: Facts) -> Finding | None:
    """Serving, and fewer pods ready than wanted."""
    serving = facts.ledger.serving
    workload = facts.workloads.get(serving.key) if serving else None
    if serving is None:
        return None
    if workload is None:
        text = (
            f'the record of what version "{serving.name}" runs is gone; its pods are left as they are. '
            "Next: apply the same content under a new name"
        )
        return false(Type.READY, Reason.TEMPLATE_LOST, text)
    ready = sum(1 for pod in workload.pods if is_ready(pod))
    wanted = workload.frozen.replicas
    if ready >= wanted:
        return None
    problem = diagnose(workload.pods, workload.deployment)
    text = f'version "{serving.name}": {ready} of {wanted} replicas ready'
    text = f"{text}; {problem.message}" if problem else text
    return false(Type.READY, problem.reason if problem and ready == 0 else Reason.DEGRADED, text)


def _candidate(facts: Facts) -> VersionFact | None:
    key = candidate(gate=facts.gate_hash, live=facts.live, ledger=facts.ledger)
    return fact_of(facts.ledger, key) if key else None


def _refused_newest(facts: Facts) -> VersionFact | None:
    fact = newest(live=facts.live, ledger=facts.ledger)
    return fact if fact and is_refused(fact, facts.gate_hash) else None


def _why_refused(fact: VersionFact) -> str:
    return "; ".join(f'test "{test.test}": {test.message}' for test in failures(fact.verdict))


def _outcome(facts: Facts, refusal: Refusal | None, stalled: bool) -> Outcome:
    """The earliest of what time alone brings."""
    waits = [*_rest_of_the_drain(facts)]
    if refusal or _is_starting(facts) or _is_tested_again(facts):
        waits.append(RETRY)
    if waits:
        return Waiting(min(waits))
    return Stalled() if stalled else Settled()


def _rest_of_the_drain(facts: Facts) -> Iterator[timedelta]:
    """None while the switch is not seen: its news bring the next pass."""
    serving, ends = facts.ledger.serving, drain_ends(facts.ledger)
    if serving and ends and serving.previous_key and facts.is_draining(serving.previous_key):
        yield max(ends - facts.now, SOON)


def _is_tested_again(facts: Facts) -> bool:
    """Whether a test of the candidate said nothing, and is made anew before long; those of others stay as they are."""
    next_up = _candidate(facts)
    tests = facts.tests_for(next_up.key) if next_up else ()
    return any(made_anew_at(test, facts.now) for test in tests)


def _is_starting(facts: Facts) -> bool:
    """Whether a candidate has pods, whose time to start passes without news."""
    next_up = _candidate(facts)
    workload = facts.workloads.get(next_up.key) if next_up else None
    return workload is not None and bool(workload.pods)
