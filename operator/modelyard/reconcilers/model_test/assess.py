"""What a pass over a test found, as status. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from modelyard.api.check_plan import CheckStatus, CheckSummary
from modelyard.api.columns import known_columns
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.manifests.test_job import job_name
from modelyard.reconcilers.model_test.ending import ending
from modelyard.reconcilers.model_test.facts import Attempt, Facts
from modelyard.reconcilers.model_test.line import in_line, place
from modelyard.reconcilers.model_test.report import Kept, afterwards
from modelyard.reconcilers.model_test.start import obstacle
from modelyard.reconcilers.model_test.verdict import (
    CANCELED,
    LATE,
    POD_STEP,
    has_no_pod,
    lost,
    runs,
    verdict,
)
from modelyard.status.assessment import GRACE, RETRY, Assessment, kstatus, status_of
from modelyard.status.conditions import Finding, false, timestamp, true, unknown
from modelyard.status.outcomes import Waiting
from modelyard.status.pods import diagnose
from modelyard.status.refusal import Refusal

PULL_STEP = "Next: check the image and the imagePullSecrets in the values of Modelyard's chart."

VERDICTS = {
    CheckStatus.SUCCEEDED: (true, Reason.PASSED),
    CheckStatus.WARNING: (true, Reason.WARNING),
    CheckStatus.CANCELED: (false, Reason.CANCELED),
    CheckStatus.ABORTED: (false, Reason.ABORTED),
}
"""How the condition `Succeeded` says it; all else is a failure."""


def assess(facts: Facts, refusal: Refusal | None, *, started: bool, kept: Kept | None) -> Assessment:
    """The whole status of a test that was not over before this pass; `kept` is of one that ends in it."""
    summary = ending(facts)
    if summary and kept:
        outcome = afterwards(facts.test, facts.now, settled=kept.is_settled, now=facts.now)
        return Assessment(_over(facts, summary, kept), outcome)
    if runs(facts):
        return Assessment(_running(facts, refusal), Waiting(LATE))
    if started:
        return Assessment(_started(facts), Waiting(LATE))
    return Assessment(_waiting(facts, refusal), Waiting(_looks_again(facts)))


# --- over ----------------------------------------------------------------------------------------------------


def _over(facts: Facts, summary: CheckSummary, kept: Kept) -> dict[str, Any]:
    message = _message(summary)
    said, reason = VERDICTS.get(summary.overall_status, (false, Reason.TEST_FAILED))
    if summary.unusable_data:
        reason = Reason.INVALID_DATASET
    ready = true(Type.READY, Reason.COMPLETED, message)
    return _status(
        facts,
        [ready, said(Type.SUCCEEDED, reason, message), *kstatus(ready, stalled=False), kept.finding],
        overallStatus=str(summary.overall_status),
        testingStatus={str(name): check.model_dump(mode="json") for name, check in summary.checks.items()},
        counts=summary.counts.model_dump(mode="json"),
        columns=_columns(summary),
        completedAt=timestamp(facts.now),
        report=kept.report.to_json() if kept.report else None,
        **(_begun(facts, facts.latest) if facts.latest else {}),
    )


def _columns(summary: CheckSummary) -> list[dict[str, Any]] | None:
    known = known_columns(summary.columns or {})
    return [column.to_json() for column in known] if known else None


def _message(summary: CheckSummary) -> str:
    """What decided: the error, else the first check that failed, else those that warn, else what was done."""
    if summary.overall_status is CheckStatus.CANCELED:
        return CANCELED
    failed = _said(summary, CheckStatus.FAILED)
    if failed:
        return failed[0]
    if summary.error:
        return summary.error
    warned = _said(summary, CheckStatus.WARNING)
    if warned:
        return "; ".join(warned)
    ended = ", ".join(f"{name} {check.status}" for name, check in summary.checks.items())
    return f"{ended}: {summary.counts.rows} rows in {summary.counts.requests} requests"


def _said(summary: CheckSummary, status: CheckStatus) -> list[str]:
    return [f"{name}: {check.message}" for name, check in summary.checks.items() if check.status == status]


# --- under way -----------------------------------------------------------------------------------------------


def _started(facts: Facts) -> dict[str, Any]:
    """The pass that made the Job, which no watch has told us of yet."""
    number = facts.latest.number + 1 if facts.latest else 1
    job = job_name(facts.owner, number)
    again = verdict(facts)
    found = _open(Reason.RUNNING, _runs(job, again.error if again else None))
    begun = {"startedAt": timestamp(facts.now), "job": job, "attempts": number}
    return _status(facts, found, overallStatus=str(CheckStatus.IN_PROGRESS), **begun)


def _running(facts: Facts, refusal: Refusal | None) -> dict[str, Any]:
    attempt = facts.latest
    assert attempt is not None
    found = _open(refusal.reason, refusal.message) if refusal else _open(*_progress(facts, attempt))
    begun = _begun(facts, attempt)
    return _status(facts, found, overallStatus=str(CheckStatus.IN_PROGRESS), **begun)


def _progress(facts: Facts, attempt: Attempt) -> tuple[Reason, str]:
    """What the Job does, or what keeps it from running."""
    problem = diagnose(attempt.runners, None)
    if problem and problem.reason is Reason.IMAGE_PULL_FAILED:  # the image is the operator's own
        return problem.reason, f"{problem.message.partition(' Next: ')[0]} {PULL_STEP}"
    if problem and not problem.own_fault:  # how a runner died is for the verdict, once its pod is over
        return problem.reason, problem.message
    job = job_name(facts.owner, attempt.number)
    if has_no_pod(attempt, facts.now):
        return Reason.POD_CREATION_REFUSED, f'Job "{job}" has no pod yet. {POD_STEP}'
    return Reason.RUNNING, _said_before(facts, job) or _runs(job, lost(facts))


def _runs(job: str, again: str | None) -> str:
    return f'Job "{job}" runs once more because {again}' if again else f'Job "{job}" runs'


def _said_before(facts: Facts, job: str) -> str | None:
    """Why the job is not the first, as it was said when it began: what told of the run before may be gone."""
    said = next((c.message for c in facts.test.status.conditions if c.type == Type.READY), "")
    return said if said.startswith(f'Job "{job}" runs once more because ') else None


def _begun(facts: Facts, attempt: Attempt) -> dict[str, Any]:
    """When the run began, as it was said first: the API server's clock may be a second off ours."""
    said, job = facts.test.status, job_name(facts.owner, attempt.number)
    known = said.started_at if said.job == job else None
    return {
        "startedAt": timestamp(known or attempt.begun),
        "job": job,
        "attempts": attempt.number,
    }


# --- waiting -------------------------------------------------------------------------------------------------


def _waiting(facts: Facts, refusal: Refusal | None) -> dict[str, Any]:
    reason, message = _why_waiting(facts, refusal)
    word = CheckStatus.IN_PROGRESS if facts.has_turn else CheckStatus.QUEUED
    made = {"attempts": facts.latest.number} if facts.latest else {}
    position = {"queuePosition": place(facts)} if reason is Reason.QUEUED else {}
    return _status(facts, _open(reason, message), overallStatus=str(word), **made, **position)


def _looks_again(facts: Facts) -> timedelta:
    """Data is looked for more often at first: a test that is not required is given up for want of it."""
    is_new = facts.now - facts.test.metadata.creation_timestamp < GRACE
    return GRACE / 3 if facts.data.reason and is_new else RETRY


def _why_waiting(facts: Facts, refusal: Refusal | None) -> tuple[Reason, str]:
    if refusal:
        return refusal.reason, refusal.message
    if facts.has_turn:
        return _why_not_started(facts)
    missing = obstacle(facts)
    if missing:
        return missing
    if facts.data.reason:
        return facts.data.reason, facts.data.message
    return Reason.QUEUED, in_line(facts)


def _why_not_started(facts: Facts) -> tuple[Reason, str]:
    """It has its turn, and waits for the pods that it tests."""
    problem, again = diagnose(facts.pods, facts.deployment), verdict(facts)
    if again:
        every = "the version" if facts.is_of_gate else "its copy of the version"
        return (
            Reason.RUN_AGAIN,
            f"{again.error}; runs once more when every replica of {every} is ready",
        )
    if problem and not problem.own_fault:
        return problem.reason, problem.message
    wanted = facts.tested.replicas if facts.tested else 0
    return (
        Reason.STARTING,
        f'"{facts.workload}": {len(facts.targets)} of {wanted} replicas ready to be tested',
    )


# --- all -----------------------------------------------------------------------------------------------------


def _open(reason: Reason, message: str) -> list[Finding]:
    ready = unknown(Type.READY, reason, message)
    verdict, report = unknown(Type.SUCCEEDED, reason, message), unknown(Type.REPORT_STORED, reason)
    return [ready, verdict, report, *kstatus(ready, stalled=False)]


def _status(facts: Facts, found: list[Finding], **fields: Any) -> dict[str, Any]:
    test = facts.test
    is_there = facts.frozen is not None and (facts.is_of_gate or facts.has_turn)
    fields["workload"] = facts.workload if is_there else test.status.workload
    return status_of(test.metadata, test.status.conditions, found, now=facts.now, **fields)
