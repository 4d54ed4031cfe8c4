"""What a test must find before it can run, and what becomes of one that has its turn and cannot start. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from modelyard.api.check_plan import CheckSummary
from modelyard.api.reasons import ConditionType, Reason
from modelyard.manifests.dedicated import code_map_of
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.verdict import aborted, broken, lifetime, runs, told
from modelyard.status.pods import diagnose, had_its_time

Obstacle = tuple[Reason, str]


def obstacle(facts: Facts) -> Obstacle | None:
    """What is missing, turn and data apart; None when nothing is."""
    return _no_record(facts) or (_not_up(facts) if facts.is_of_gate else _no_code(facts))


def never_started(facts: Facts) -> CheckSummary | None:
    """How a test ends that does not come to run; None while it may yet."""
    if runs(facts):
        return None
    if not facts.has_turn:
        return _data_never_came(facts)
    gone = None if facts.is_of_gate else obstacle(facts)
    if gone:
        return aborted(f"the test could not start: {gone[1]}", facts)
    if facts.data.reason:
        return aborted(f"the test could not start: {facts.data.message}", facts)
    return _never_up(facts) or _too_late(facts)


def _data_never_came(facts: Facts) -> CheckSummary | None:
    """A test by hand ends in its time; one of a gate waits as its version does, and holds nobody up."""
    if facts.is_of_gate or facts.data.reason is None:
        return None
    is_late = facts.now >= facts.test.metadata.creation_timestamp + facts.timeout
    return _not_within(facts, facts.data.message) if is_late else None


def _no_record(facts: Facts) -> Obstacle | None:
    """The version, its model, and what was frozen of it."""
    name, namespace = facts.test.spec.version_ref.name, facts.test.metadata.namespace
    if facts.version is None:
        message = f'CustomModelVersion "{name}" of spec.versionRef does not exist in namespace "{namespace}"; create it'
        return Reason.VERSION_NOT_FOUND, message
    if facts.model is None:
        model = facts.version.spec.model_ref.name
        message = (
            f'CustomModel "{model}" of version "{name}" does not exist in namespace "{namespace}"; create it'
        )
        return Reason.MODEL_NOT_FOUND, message
    if facts.frozen is None:
        return Reason.WAITING_FOR_VERSION, _unfrozen(name, facts.version.status.role)
    return None


def _unfrozen(version: str, role: str | None) -> str:
    if role == "Superseded":
        return (
            f'version "{version}" is Superseded and was never started, so that there is no record of what it '
            "would run; apply the same content as a new version"
        )
    return f'version "{version}" was not started yet; what it runs is decided when it is. See its status'


def _not_up(facts: Facts) -> Obstacle | None:
    """The candidate's own pods, which a test of the gate asks."""
    version = facts.version
    assert version is not None
    if facts.is_ready:
        return None
    if facts.deployment and not facts.deployment["spec"]["replicas"]:
        message = f'version "{version.metadata.name}" is {version.status.role} and runs no pods'
        return Reason.WAITING_FOR_VERSION, message
    message = f'waits until every replica of version "{version.metadata.name}" is ready'
    return Reason.WAITING_FOR_VERSION, message


def _no_code(facts: Facts) -> Obstacle | None:
    """The code, which the copy of a version mounts; it is kept for as long as the version exists."""
    if facts.code_exists or facts.frozen is None:
        return None
    message = (
        f'ConfigMap "{code_map_of(facts.frozen)}", the copy of the code of version "{facts.frozen.version}", is gone; '
        "apply the same content as a new version"
    )
    return Reason.CODE_LOST, message


def _never_up(facts: Facts) -> CheckSummary | None:
    """The model's own fault, once a pod of the copy had its time to start. The candidate's is for its model to see."""
    if facts.is_of_gate or facts.frozen is None or facts.is_ready:
        return None
    startup = timedelta(seconds=facts.frozen.startup_seconds)
    problem = diagnose([pod for pod in facts.pods if had_its_time(pod, startup, facts.now)], None)
    if problem is None or not problem.own_fault:
        return None
    return broken(f"the test's copy of the version never came up: {told(problem, facts)}", facts)


def _too_late(facts: Facts) -> CheckSummary | None:
    """What keeps it from starting is not for ever: others wait."""
    if facts.now < _waits_since(facts) + facts.timeout:
        return None
    return _not_within(facts, keeps_waiting(facts))


def _not_within(facts: Facts, why: str | None) -> CheckSummary:
    seconds = facts.test.spec.timeout_seconds
    return aborted(
        f"the test could not start within its {seconds} s (spec.timeoutSeconds){f': {why}' if why else ''}",
        facts,
    )


def keeps_waiting(facts: Facts) -> str | None:
    """What the pods under test wait for, or what this test said last that it waits for."""
    problem = diagnose(facts.pods, facts.deployment)
    if problem:
        return problem.message
    said = (c.message for c in facts.test.status.conditions if c.type == ConditionType.READY)
    return next(said, None)


def _waits_since(facts: Facts) -> datetime:
    assert facts.testing is not None
    lost = facts.latest
    return facts.testing.since if lost is None else max(facts.testing.since, lost.begun + lifetime(facts))
