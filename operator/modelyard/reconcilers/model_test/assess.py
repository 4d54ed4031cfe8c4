"""What a pass over a test found, as status. Pure."""

from __future__ import annotations

from typing import Any

from modelyard.api.check_plan import CheckStatus, CheckSummary
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.manifests.test_job import job_name
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.verdict import (
    LATE,
    POD_STEP,
    broken,
    has_no_pod,
    is_inconclusive,
    verdict,
)
from modelyard.status.assessment import RETRY, Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, timestamp, true, unknown
from modelyard.status.outcomes import Settled, Waiting
from modelyard.status.pods import diagnose
from modelyard.status.refusal import Refusal

PULL_STEP = "Next: check the image and the imagePullSecrets in the values of Modelyard's chart."

GOOD = (CheckStatus.SUCCEEDED, CheckStatus.WARNING)


def assess(facts: Facts, refusal: Refusal | None, *, started: bool) -> Assessment | None:
    """The whole status of a test after a pass; None when it is over and says so."""
    if facts.is_over:
        return None
    summary = _invalid_data(facts) or verdict(facts)
    if summary and not is_inconclusive(facts):
        return Assessment(_over(facts, summary), Settled())
    if started or (facts.job and not summary):
        return Assessment(_running(facts), Waiting(LATE))
    return _waiting(facts, refusal)


def _invalid_data(facts: Facts) -> CheckSummary | None:
    if facts.data.reason is Reason.INVALID_DATASET:
        return broken(facts.data.message, facts)
    return None


def _over(facts: Facts, summary: CheckSummary) -> dict[str, Any]:
    good, message = summary.overall_status in GOOD, _message(summary)
    ready = true(Type.READY, Reason.COMPLETED, message)
    verdict = true(Type.SUCCEEDED, Reason.PASSED, message)
    found = [
        ready,
        verdict if good else false(Type.SUCCEEDED, Reason.TEST_FAILED, message),
        *kstatus(ready, stalled=False),
    ]
    return _status(
        facts,
        found,
        overallStatus=str(summary.overall_status),
        testingStatus={str(name): check.model_dump(mode="json") for name, check in summary.checks.items()},
        counts=summary.counts.model_dump(mode="json"),
        completedAt=timestamp(facts.now),
        **_begun(facts),
    )


def _message(summary: CheckSummary) -> str:
    """What decided: the error, else the first check that is not good, else what was done."""
    bad = [
        f"{name}: {check.message}"
        for name, check in summary.checks.items()
        if check.status == CheckStatus.FAILED
    ]
    if bad:
        return bad[0]
    if summary.error:
        return summary.error
    ended = ", ".join(f"{name} {check.status}" for name, check in summary.checks.items())
    return f"{ended}: {summary.counts.rows} rows in {summary.counts.requests} requests"


def _running(facts: Facts) -> dict[str, Any]:
    begun = _begun(facts) or {"startedAt": timestamp(facts.now), "job": _job(facts)}
    found = _open(*_progress(facts))
    return _status(facts, found, overallStatus=str(CheckStatus.IN_PROGRESS), **begun)


def _progress(facts: Facts) -> tuple[Reason, str]:
    """What the Job does, or what keeps it from running."""
    problem = diagnose(facts.runners, None)
    if problem and problem.reason is Reason.IMAGE_PULL_FAILED:  # the image is the operator's own
        return problem.reason, f"{problem.message.partition(' Next: ')[0]} {PULL_STEP}"
    if problem and not problem.own_fault:  # how a runner died is for the verdict, once its pod is over
        return problem.reason, problem.message
    if has_no_pod(facts):
        return Reason.POD_CREATION_REFUSED, f'Job "{_job(facts)}" has no pod yet. {POD_STEP}'
    return Reason.RUNNING, f'Job "{_job(facts)}" runs'


def _waiting(facts: Facts, refusal: Refusal | None) -> Assessment:
    reason, message = _why_waiting(facts, refusal)
    status = _status(facts, _open(reason, message), overallStatus=str(CheckStatus.QUEUED))
    return Assessment(status, Waiting(RETRY))


def _why_waiting(facts: Facts, refusal: Refusal | None) -> tuple[Reason, str]:
    name, namespace = facts.test.spec.version_ref.name, facts.test.metadata.namespace
    if refusal:
        return refusal.reason, refusal.message
    if facts.version is None:
        message = f'CustomModelVersion "{name}" of spec.versionRef does not exist in namespace "{namespace}"; create it'
        return Reason.VERSION_NOT_FOUND, message
    if facts.data.reason:
        return facts.data.reason, facts.data.message
    summary = verdict(facts)
    if summary:
        return Reason.RUN_AGAIN, f"{summary.error}; runs once more when every replica of the version is ready"
    if facts.deployment and not facts.deployment["spec"]["replicas"]:
        message = f'version "{name}" is {facts.version.status.role} and runs no pods; test one that does'
        return Reason.WAITING_FOR_VERSION, message
    return Reason.WAITING_FOR_VERSION, f'waits until every replica of version "{name}" is ready'


def _open(reason: Reason, message: str) -> list[Finding]:
    ready = unknown(Type.READY, reason, message)
    return [ready, unknown(Type.SUCCEEDED, reason, message), *kstatus(ready, stalled=False)]


def _status(facts: Facts, found: list[Finding], **fields: Any) -> dict[str, Any]:
    test = facts.test
    return status_of(test.metadata, test.status.conditions, found, now=facts.now, **fields)


def _job(facts: Facts) -> str:
    return job_name(facts.owner, facts.attempt + 1 if is_inconclusive(facts) else facts.attempt)


def _begun(facts: Facts) -> dict[str, str]:
    """When the run began, as it was said first: the API server's clock may be a second off ours."""
    said = facts.test.status
    if said.started_at and said.job == _job(facts):
        return {"startedAt": timestamp(said.started_at), "job": said.job}
    if facts.job is None:
        return {}
    return {"startedAt": facts.job["metadata"]["creationTimestamp"], "job": _job(facts)}
