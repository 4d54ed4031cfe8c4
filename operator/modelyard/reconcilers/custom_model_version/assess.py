"""What a pass over a version found, as conditions: one function a condition. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.custom_model import GateTest
from modelyard.api.model_test import ModelTest, ModelTestStatus
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.manifests.code import code_digest
from modelyard.manifests.gate_test import gate_test_name
from modelyard.reconcilers.custom_model_version.desired import template_is_modified
from modelyard.reconcilers.custom_model_version.facts import Facts
from modelyard.roles.gate import (
    ENDED,
    awaits_data,
    failures,
    lacks_data,
    remarks,
    says_nothing,
    tests_of,
    why,
)
from modelyard.roles.roles import Role, drain_ends, is_passed
from modelyard.status.assessment import GRACE, RETRY, Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, true, unknown
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting
from modelyard.status.pods import Problem, diagnose, had_its_time
from modelyard.status.refusal import Refusal

SOON = timedelta(seconds=1)
RARELY = timedelta(minutes=10)
"""How seldom a version is looked at that waits for something which brings news by itself: what is late by time alone
is said within a quarter of the time that it took already."""


def assess(facts: Facts, refusal: Refusal | None) -> Assessment:
    """The whole status of a version after a pass."""
    ready = _ready(facts, refusal)
    stalled = _is_stalled(facts, refusal)
    found = [
        ready,
        _serving(facts),
        _source(facts),
        _environment(facts),
        _workload(facts),
        _tests(facts),
        _template(facts),
        *kstatus(ready, stalled=stalled),
    ]
    return Assessment(_status(facts, found), _outcome(facts, ready, stalled))


def _status(facts: Facts, found: list[Finding]) -> dict[str, Any]:
    version, frozen = facts.version, facts.frozen
    return status_of(
        version.metadata,
        version.status.conditions,
        found,
        now=facts.now,
        label=facts.fact.label if facts.fact else None,
        key=facts.key,
        role=str(facts.role),
        image=frozen.image if frozen else None,
        codeDigest=frozen.code_digest if frozen else None,
        templateHash=frozen.template_hash if frozen else None,
        workload=frozen.workload if frozen else None,
        replicas=facts.wanted,
        readyReplicas=facts.ready,
    )


def _ready(facts: Facts, refusal: Refusal | None) -> Finding:
    if refusal:
        return false(Type.READY, refusal.reason, refusal.message)
    if facts.model is None:
        name, namespace = facts.version.spec.model_ref.name, facts.version.metadata.namespace
        message = (
            f'CustomModel "{name}" of spec.modelRef does not exist in namespace "{namespace}"; create it'
        )
        return _named(facts, Reason.MODEL_NOT_FOUND, message, facts.version.metadata.creation_timestamp)
    if facts.label_conflict:
        return false(Type.READY, Reason.LABEL_TAKEN, facts.label_conflict)
    by_role = {
        Role.UNLABELLED: _ready_unlabelled,
        Role.CANDIDATE: _ready_candidate,
        Role.SERVING: _ready_serving,
        Role.SUPERSEDED: _ready_superseded,
        Role.REJECTED: _ready_rejected,
    }
    return by_role[facts.role](facts)


def _ready_unlabelled(facts: Facts) -> Finding:
    return unknown(Type.READY, Reason.LABEL_PENDING, "waits for its label")


def _ready_superseded(facts: Facts) -> Finding:
    serving = facts.ledger.serving
    successor = (
        f'; version "{serving.name}" ({serving.label}) serves'
        if serving
        else "; a newer version is under way"
    )
    if facts.draining:
        return true(Type.READY, Reason.DRAINING, f"its pods end soon{successor}")
    return true(Type.READY, Reason.SUPERSEDED, f"not needed{successor}")


def _ready_rejected(facts: Facts) -> Finding:
    return false(Type.READY, Reason.TESTS_FAILED, _verdict_message(facts))


def _ready_serving(facts: Facts) -> Finding:
    if not facts.is_switched:
        return unknown(
            Type.READY, Reason.PROMOTING, "passed its tests; the model's Service does not send here yet"
        )
    if facts.frozen is None:
        message = (
            "the record of what was tested is gone and can't be made again alike; its pods are left as they are. "
            "Next: apply the same content under a new name"
        )
        return false(Type.READY, Reason.TEMPLATE_LOST, message)
    if facts.ready >= facts.wanted:
        return true(Type.READY, Reason.SERVING, f"{facts.ready} of {facts.wanted} replicas ready")
    problem, count = _problem(facts), f"{facts.ready} of {facts.wanted} replicas ready"
    if problem is None and _source(facts).status != "True":
        return false(Type.READY, Reason.DEGRADED, f"{count}; {_source(facts).message}")
    if problem is None:
        return false(Type.READY, Reason.DEGRADED, count)
    reason = Reason.DEGRADED if facts.ready else problem.reason
    return false(Type.READY, reason, f"{count}; {problem.message}")


def _ready_candidate(facts: Facts) -> Finding:
    """The first step that is not done yet."""
    for step in (_source(facts), _environment(facts), _workload(facts)):
        if step.status != "True":
            return Finding(Type.READY, step.status, step.reason, step.message)
    tests = _tests(facts)
    if tests.status == "True":
        return unknown(
            Type.READY, Reason.PROMOTING, "passed its tests; takes over when its endpoints are ready"
        )
    return Finding(Type.READY, tests.status, tests.reason, tests.message)


def _serving(facts: Facts) -> Finding:
    if facts.model and facts.role is Role.SERVING:
        name = facts.model.metadata.name
        if not facts.is_switched:
            return unknown(Type.SERVING, Reason.PROMOTING, f'Service "{name}" is about to send here')
        return true(Type.SERVING, Reason.SERVING, f'CustomModel "{name}" sends here')
    return false(Type.SERVING, Reason.NOT_SERVING)


def _source(facts: Facts) -> Finding:
    source, lost = facts.source, _lost_code(facts)
    if lost:
        return false(Type.SOURCE_READY, Reason.CODE_LOST, lost)
    if facts.frozen:
        return true(Type.SOURCE_READY, Reason.RESOLVED, facts.frozen.code_digest)
    if source.reason is Reason.CONFIG_MAP_NOT_FOUND:
        since = facts.version.metadata.creation_timestamp
        return _named(facts, source.reason, source.message, since, type=Type.SOURCE_READY)
    if source.reason:
        return false(Type.SOURCE_READY, source.reason, source.message)
    if source.files is not None:
        return true(Type.SOURCE_READY, Reason.RESOLVED, f"{len(source.files)} files")
    return unknown(Type.SOURCE_READY, Reason.NOT_STARTED)


def _lost_code(facts: Facts) -> str | None:
    """Why the code that was frozen can't be mounted any more; None while it can, or nothing asks for it."""
    files, spec = facts.source.files, facts.version.spec
    if facts.frozen is None or spec.source.config_map is None:
        return None
    is_other = files is not None and code_digest(files) != facts.frozen.code_digest
    if facts.code_exists or not (is_other or facts.source.reason):
        return None
    return (
        f'the copy of the files of ConfigMap "{spec.source.config_map.name}" is gone, and it holds other files '
        "now. Next: put back what it held, or apply a new version"
    )


def _environment(facts: Facts) -> Finding:
    if facts.frozen:
        text = f'"{facts.frozen.environment}" version {facts.frozen.environment_number}: {facts.frozen.image}'
        return true(Type.ENVIRONMENT_READY, Reason.RESOLVED, text)
    chosen = facts.chosen_environment
    if chosen:
        return true(
            Type.ENVIRONMENT_READY, Reason.RESOLVED, f'"{chosen.metadata.name}": {chosen.status.image}'
        )
    reason, message = _missing_environment(facts)
    since = facts.version.metadata.creation_timestamp
    return _named(facts, reason, message, since, type=Type.ENVIRONMENT_READY)


def _missing_environment(facts: Facts) -> tuple[Reason, str]:
    ref, namespace = facts.version.spec.environment_ref, facts.version.metadata.namespace
    if facts.environment is None:
        return (
            Reason.ENVIRONMENT_NOT_FOUND,
            f'ExecutionEnvironment "{ref.name}" does not exist in namespace "{namespace}"; create it',
        )
    numbers = sorted(version.spec.number for version in facts.environment_versions)
    if ref.version is not None and ref.version not in numbers:
        known = ", ".join(map(str, numbers)) or "none"
        return (
            Reason.ENVIRONMENT_VERSION_NOT_FOUND,
            f'ExecutionEnvironment "{ref.name}" has no version {ref.version} as spec.environmentRef.version asks '
            f"(it has: {known}); name one of them in a new version, or none",
        )
    if ref.version is None and any(version.status.image for version in facts.environment_versions):
        return (
            Reason.ENVIRONMENT_NOT_READY,
            f'ExecutionEnvironment "{ref.name}" was changed, and is not usable as it is now; see its status',
        )
    return (
        Reason.ENVIRONMENT_NOT_READY,
        f'ExecutionEnvironment "{ref.name}" has no usable version yet; see its status',
    )


def _workload(facts: Facts) -> Finding:
    if facts.frozen is None:
        return unknown(Type.WORKLOAD_AVAILABLE, Reason.NOT_STARTED)
    if facts.wanted == 0:
        return false(Type.WORKLOAD_AVAILABLE, Reason.STOPPED, "scaled to zero")
    count = f"{facts.ready} of {facts.wanted} replicas ready"
    if facts.available:
        return true(Type.WORKLOAD_AVAILABLE, Reason.AVAILABLE, count)
    problem = _problem(facts)
    if problem is None:
        return unknown(Type.WORKLOAD_AVAILABLE, Reason.STARTING, count)
    message = f"{count}; {problem.message}"
    if problem.own_fault and facts.role is Role.CANDIDATE:
        return unknown(Type.WORKLOAD_AVAILABLE, problem.reason, message)
    return _named(facts, problem.reason, message, _started(facts), type=Type.WORKLOAD_AVAILABLE)


def _tests(facts: Facts) -> Finding:
    fact, frozen = facts.fact, facts.frozen
    stays = fact and frozen and is_passed(fact, frozen.template_hash) and facts.role is not Role.CANDIDATE
    if stays or facts.may_promote:
        return true(Type.TESTS_PASSED, Reason.PASSED, _verdict_message(facts))
    if fact and fact.verdict and facts.role is Role.REJECTED:
        return false(Type.TESTS_PASSED, Reason.TESTS_FAILED, _verdict_message(facts))
    if facts.model is None or not (facts.tests or facts.gate):
        return unknown(Type.TESTS_PASSED, Reason.NOT_TESTED)
    known = {test.metadata.name: test for test in facts.tests}
    gate = {gate_test_name(frozen, test): test for test in tests_of(facts.model.spec)} if frozen else {}
    made = [(test, known[name]) for name, test in gate.items() if name in known]
    ended = sum(_is_over(found) for _, found in made)
    count = f"{ended} of {len(tests_of(facts.model.spec))} tests ended"
    awaited = [found for test, found in made if _is_waited_for(test, found.status)]
    return (
        _held_up(facts, (test for test in awaited if not _is_over(test)), count)
        or _lost(facts, [test for test in awaited if says_nothing(test.status)], count)
        or unknown(Type.TESTS_PASSED, Reason.TESTING, _with_other(facts, count, gate))
    )


def _with_other(facts: Facts, count: str, names: Iterable[str]) -> str:
    """The count, and the test of another kind that runs before those of the gate may, if one does."""
    testing = facts.ledger.testing
    if testing is None or testing.name in names:
        return count
    return f'{count}; ModelTest "{testing.name}" runs first, as one test of a model runs at a time'


def _is_waited_for(test: GateTest, status: ModelTestStatus) -> bool:
    """A test that is not required is given up when its data is none, or when it ended without a word."""
    return test.required or not (lacks_data(status) or says_nothing(status))


def _is_over(test: ModelTest) -> bool:
    return test.status.overall_status in ENDED


def _held_up(facts: Facts, tests: Iterable[ModelTest], count: str) -> Finding | None:
    """What a test waits for that somebody must bring, if one does."""
    for test in tests:
        for said in test.status.conditions:
            if said.type == Type.READY and said.reason in HELD_UP:
                message = f'{count}; ModelTest "{test.metadata.name}" waits: {said.message}'
                since = test.metadata.creation_timestamp
                return _named(facts, Reason(said.reason), message, since, type=Type.TESTS_PASSED)
    return None


def _lost(facts: Facts, tests: list[ModelTest], count: str) -> Finding | None:
    """A test whose every run was lost says nothing about the model; it is made anew, before long or when its data is
    another."""
    if not tests:
        return None
    name, status = tests[0].metadata.name, tests[0].status
    said = f'{count}; ModelTest "{name}" says nothing about the model: {why(status)}'
    if awaits_data(status) and status.completed_at:
        return _named(facts, Reason.INVALID_DATASET, said, status.completed_at, type=Type.TESTS_PASSED)
    return unknown(Type.TESTS_PASSED, Reason.RUN_AGAIN, f"{said}; it is made anew before long")


def _template(facts: Facts) -> Finding:
    added = template_is_modified(facts)
    if added:
        names = ", ".join(added)
        return true(Type.TEMPLATE_MODIFIED, Reason.CONTAINERS_ADDED, f"containers that are not ours: {names}")
    return false(Type.TEMPLATE_MODIFIED, Reason.AS_DESIRED)


def _verdict_message(facts: Facts) -> str:
    verdict = facts.fact.verdict if facts.fact else None
    if verdict is None:
        return ""
    failed = failures(verdict)
    if failed:
        return "; ".join(f'test "{test.test}" failed: {test.message}' for test in failed)
    passed = sum(test.result == "Passed" for test in verdict.tests)
    return "; ".join([f"{passed} of {len(verdict.tests)} tests passed", *remarks(verdict)])


def _problem(facts: Facts) -> Problem | None:
    """A silent container is a problem only after it had its time to start."""
    problem = diagnose(facts.pods, facts.deployment)
    if problem and problem.reason is Reason.NOT_ANSWERING and facts.frozen:
        startup = timedelta(seconds=facts.frozen.startup_seconds)
        return problem if any(had_its_time(pod, startup, facts.now) for pod in facts.pods) else None
    return problem


def _started(facts: Facts) -> datetime:
    """When the pods that there are were asked for."""
    times = [datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in facts.pods]
    return min(times, default=facts.version.metadata.creation_timestamp)


def _last_begun(facts: Facts) -> datetime:
    """When the newest of what may be waited for began: the graces of all of it count from there or earlier."""
    tests = (test.status.completed_at or test.metadata.creation_timestamp for test in facts.tests)
    pods = (datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in facts.pods)
    return max([facts.version.metadata.creation_timestamp, *pods, *tests])


def _named(
    facts: Facts, reason: Reason, message: str, since: datetime, *, type: Type = Type.READY
) -> Finding:
    """Waiting for something that has a name: Unknown at first, False once the grace is over."""
    late = facts.now - since >= GRACE
    return false(type, reason, message) if late else unknown(type, reason, message)


HELD_UP = frozenset(
    {
        Reason.CONFIG_MAP_NOT_FOUND,
        Reason.INVALID_DATASET,
        Reason.NAME_TAKEN,
        Reason.FORBIDDEN,
        Reason.INVALID_SPEC,
        Reason.RUN_AGAIN,
        Reason.POD_CREATION_REFUSED,
    }
)
"""Why a test does not go on, as far as its version's status repeats it."""

UNWATCHED = frozenset({Reason.NAME_TAKEN, Reason.CONFIG_MAP_NOT_FOUND, Reason.FORBIDDEN})
"""What is waited for and brings no news when it comes."""

HUMAN = frozenset({Reason.LABEL_TAKEN, Reason.START_SCRIPT_MISSING, Reason.SOURCE_TOO_LARGE})


def _is_stalled(facts: Facts, refusal: Refusal | None) -> bool:
    """Whether only a person can move this on."""
    if facts.model is not None and facts.role is Role.REJECTED:
        return True
    reasons = {facts.source.reason, Reason.LABEL_TAKEN if facts.label_conflict else None}
    return bool(reasons & HUMAN) or (refusal is not None and refusal.reason is Reason.INVALID_SPEC)


def _outcome(facts: Facts, ready: Finding, stalled: bool) -> Outcome:
    ends = drain_ends(facts.ledger)
    if facts.draining and ends:
        return Waiting(max(ends - facts.now, SOON))
    if facts.version.spec.source.config_map and _source(facts).status == "False":
        return Waiting(RETRY)  # a ConfigMap of the user's can be mended, and is not watched
    if ready.reason is Reason.INVALID_SPEC:
        return Waiting(_patience(facts, ready))  # what refused it may be a policy, which is not watched
    if stalled:
        return Stalled()
    if ready.reason in UNWATCHED:
        return Waiting(RETRY)
    if ready.status == "Unknown":
        return Waiting(_patience(facts, ready))
    return Settled()


def _patience(facts: Facts, ready: Finding) -> timedelta:
    """Where no pod is there yet, nothing is late by time alone: that one comes is news."""
    if ready.reason is Reason.STARTING and not facts.pods:
        return RARELY
    return min(max(RETRY, (facts.now - _last_begun(facts)) / 4), RARELY)
