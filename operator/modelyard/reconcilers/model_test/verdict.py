"""How a test ended: from the runner's termination message, or from how its pod died. Pure.

A run that says nothing about the model (its pod was evicted, its node is gone) counts as `aborted`: it is run
once more, by a Job of its own, and only a second such run ends the test.

The verdict comes from pod status and from our own clock, since a Job on a dead node never says `Failed`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from modelyard.api.check_plan import (
    CheckCounts,
    CheckName,
    CheckOutcome,
    CheckStatus,
    CheckSummary,
    parse_summary,
)
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.test_job import CONTAINER, DEADLINE_MARGIN, MEMORY
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.status.conditions import shorten
from modelyard.status.pods import death

LATE = timedelta(seconds=30)
"""How long past the Job's own deadline we wait for word of its pod."""

ATTEMPTS = 2

POD_STEP = "Next: check quotas, limit ranges and admission policies of the namespace"

ENDED_JOB = ("Complete", "Failed")


def verdict(facts: Facts) -> CheckSummary | None:
    """What the test came to; None while it runs."""
    if facts.job is None:
        return None
    for pod in facts.runners:
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed") or _has_spoken(pod):
            return _of_pod(pod, facts)
    return _of_clock(facts, facts.job)


def _has_spoken(pod: Manifest) -> bool:
    """The runner ended with a verdict; its pod gets its last phase some time later."""
    ended = _end_of_runner(pod)
    return ended is not None and ended.get("exitCode") == 0


def _end_of_runner(pod: Manifest) -> dict[str, Any] | None:
    """How the runner's own container ended; None while it runs, whatever became of a sidecar."""
    for container in pod.get("status", {}).get("containerStatuses", []):
        if container["name"] == CONTAINER:
            ended: dict[str, Any] | None = container.get("state", {}).get("terminated")
            return ended
    return None


def is_inconclusive(facts: Facts) -> bool:
    """Whether the latest run says nothing about the model and there may be another."""
    summary = verdict(facts)
    return summary is not None and summary.overall_status == CheckStatus.ABORTED and facts.attempt < ATTEMPTS


def _of_pod(pod: Manifest, facts: Facts) -> CheckSummary | None:
    status = pod.get("status", {})
    ended = _end_of_runner(pod)
    if ended:
        return _of_container(ended, status, facts)
    reason = status.get("reason", "")
    said = f"{reason}: {status.get('message', '')}".strip(": ")
    if reason == "DeadlineExceeded":
        return broken(_too_late(facts), facts)
    return aborted(f"the pod of the test ended before it could report ({said or 'no reason given'})", facts)


def _of_container(ended: dict[str, Any], status: dict[str, Any], facts: Facts) -> CheckSummary:
    try:
        return _explained(parse_summary(ended.get("message", "")), ended, facts)
    except ValueError as error:
        return _of_death(ended, status, facts, str(error))


def _explained(summary: CheckSummary, ended: dict[str, Any], facts: Facts) -> CheckSummary:
    """A failure during which a tested container ended tells how: the runner saw a connection drop, and no more."""
    began = ended.get("startedAt")
    died = death(facts.pods, datetime.fromisoformat(began)) if began else None
    if died is None:
        return summary
    checks = {
        name: outcome.model_copy(update={"message": f"{outcome.message}: {died.message}"})
        if outcome.status == CheckStatus.FAILED
        else outcome
        for name, outcome in summary.checks.items()
    }
    return summary.model_copy(update={"checks": checks})


def _of_death(ended: dict[str, Any], status: dict[str, Any], facts: Facts, problem: str) -> CheckSummary:
    if ended.get("reason") == "OOMKilled":
        text = f"the test's own pod was killed for using more than {MEMORY} of memory; use a smaller data set"
        return broken(text, facts)
    if status.get("reason") == "DeadlineExceeded":
        return broken(_too_late(facts), facts)
    if status.get("reason") == "Evicted":
        return aborted(f"the test's own pod was evicted: {status.get('message', '')}", facts)
    code = ended.get("exitCode")
    return aborted(f"the test's own pod ended with exit code {code}: {shorten(problem, 500)}", facts)


def _of_clock(facts: Facts, job: Manifest) -> CheckSummary | None:
    begun = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    if facts.now >= begun + lifetime(facts):
        return aborted(_without_word(facts), facts)
    ended = next((c for c in job.get("status", {}).get("conditions", []) if _is_ended(c)), None)
    if ended and facts.now >= datetime.fromisoformat(ended["lastTransitionTime"]) + LATE:
        return aborted("the pod of the test was deleted before it could report", facts)
    return None


def _is_ended(condition: dict[str, Any]) -> bool:
    return condition["type"] in ENDED_JOB and condition["status"] == "True"


def lifetime(facts: Facts) -> timedelta:
    """From the Job's creation to the moment at which we stop waiting for it."""
    return timedelta(seconds=facts.test.spec.timeout_seconds + DEADLINE_MARGIN) + LATE


def has_no_pod(facts: Facts) -> bool:
    """Whether the Job has had its time to get a pod and has none."""
    if facts.job is None or facts.runners:
        return False
    return facts.now >= datetime.fromisoformat(facts.job["metadata"]["creationTimestamp"]) + LATE


def _without_word(facts: Facts) -> str:
    if has_no_pod(facts):
        return f"no pod could be made for the test's Job. {POD_STEP}"
    return f"{_too_late(facts)}, and its pod never reported; its node may be gone"


def _too_late(facts: Facts) -> str:
    seconds = facts.test.spec.timeout_seconds
    return f"the test did not end within its {seconds} s (spec.timeoutSeconds)"


def broken(message: str, facts: Facts) -> CheckSummary:
    """A test that failed without a word from its runner: the first check failed, the rest did not run."""
    return _without_runner(message, facts, CheckStatus.FAILED)


def aborted(message: str, facts: Facts) -> CheckSummary:
    """A run that says nothing about the model."""
    return _without_runner(message, facts, CheckStatus.ABORTED)


def _without_runner(message: str, facts: Facts, status: CheckStatus) -> CheckSummary:
    skipped = facts.test.spec.configuration.error_check == "skip"
    later = CheckOutcome(status=CheckStatus.SKIPPED if skipped else CheckStatus.ABORTED, message="")
    return CheckSummary(
        overall_status=status,
        checks={
            CheckName.LONG_RUNNING_SERVICE: CheckOutcome(status=status, message=message),
            CheckName.ERROR_CHECK: later,
        },
        counts=CheckCounts(),
        error=message,
    )
