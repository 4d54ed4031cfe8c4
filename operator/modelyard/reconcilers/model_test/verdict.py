"""How a test ended: from the runner's termination message, or from how its pod died. Pure.

A run that says nothing about the model (its pod was evicted, its node is gone) counts as `aborted`: it is run
once more, by a Job of its own, and only a second such run ends the test.

The verdict comes from pod status and from our own clock, since a Job on a dead node never says `Failed`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from modelyard.api.check_plan import (
    CheckConfiguration,
    CheckName,
    CheckOutcome,
    CheckStatus,
    CheckSummary,
    parse_summary,
)
from modelyard.api.reasons import Reason
from modelyard.manifests.dedicated import memory_limit
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.test_job import CONTAINER, DEADLINE_MARGIN, MEMORY
from modelyard.reconcilers.model_test.facts import Attempt, Facts
from modelyard.reconcilers.model_test.unusable import accused, can_be_mended
from modelyard.status.conditions import shorten
from modelyard.status.pods import Problem, death

LATE = timedelta(seconds=30)
"""How long past the Job's own deadline we wait for word of its pod."""

ATTEMPTS = 2

CANCELED = "canceled"
"""All that a canceled test says, wherever its end is told."""

POD_STEP = "Next: check quotas, limit ranges and admission policies of the namespace"

ENDED_JOB = ("Complete", "Failed")

_GONE = "the pod of the test was deleted before it could report"


def verdict(facts: Facts) -> CheckSummary | None:
    """What the latest run came to; None while it runs, and before it does."""
    return _of_attempt(facts.latest, facts) if facts.latest else None


def lost(facts: Facts) -> str | None:
    """Why the run before the latest said nothing about the model; None if there was none."""
    if len(facts.attempts) < 2:
        return None
    summary = _of_attempt(facts.attempts[-2], facts)
    return (summary.error if summary else None) or _GONE


def runs(facts: Facts) -> bool:
    """Whether a Job of this test is under way."""
    return facts.latest is not None and verdict(facts) is None


def _of_attempt(attempt: Attempt, facts: Facts) -> CheckSummary | None:
    for pod in attempt.runners:
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed") or _has_spoken(pod):
            return _of_pod(pod, facts)
    return _of_clock(facts, attempt)


def _has_spoken(pod: Manifest) -> bool:
    """The runner ended with a verdict; its pod gets its last phase some time later."""
    ended = end_of_runner(pod)
    return ended is not None and ended.get("exitCode") == 0


def end_of_runner(pod: Manifest) -> dict[str, Any] | None:
    """How the runner's own container ended; None while it runs, whatever became of a sidecar."""
    for container in pod.get("status", {}).get("containerStatuses", []):
        if container["name"] == CONTAINER:
            ended: dict[str, Any] | None = container.get("state", {}).get("terminated")
            return ended
    return None


def is_inconclusive(facts: Facts) -> bool:
    """Whether the latest run says nothing about the model and there may be another."""
    summary = verdict(facts)
    if summary is None or summary.unusable_data:
        return False
    is_lost = summary.overall_status == CheckStatus.ABORTED
    return is_lost and facts.latest is not None and facts.latest.number < ATTEMPTS


def _of_pod(pod: Manifest, facts: Facts) -> CheckSummary | None:
    status = pod.get("status", {})
    ended = end_of_runner(pod)
    if ended:
        return _of_container(ended, status, facts)
    reason = status.get("reason", "")
    said = f"{reason}: {status.get('message', '')}".strip(": ")
    if reason == "DeadlineExceeded":
        return broken(_too_late(facts), facts)
    if taken := _taken_away(status):
        return aborted(taken, facts)
    return aborted(f"the pod of the test ended before it could report ({said or 'no reason given'})", facts)


def _of_container(ended: dict[str, Any], status: dict[str, Any], facts: Facts) -> CheckSummary:
    try:
        summary = parse_summary(ended.get("message", ""))
    except ValueError as error:
        return _of_death(ended, status, facts, str(error))
    if summary.unusable_data:
        return accused(summary, facts)
    taken = _taken_away(status)
    if taken and summary.overall_status is CheckStatus.ABORTED:
        return summary.model_copy(update={"error": taken})
    return _explained(summary, ended, facts)


def _taken_away(status: dict[str, Any]) -> str | None:
    """That the cluster itself ended a pod (an eviction, a preemption, a node that is gone), and why.

    The runner knows no more than that it was told to end.
    """
    for found in status.get("conditions", []):
        if (found["type"], found["status"]) == ("DisruptionTarget", "True"):
            why = f"{found.get('reason', '')}: {found.get('message', '')}".strip(": ")
            return f"the cluster took the test's own pod away ({why or 'no reason given'})"
    return None


def _explained(summary: CheckSummary, ended: dict[str, Any], facts: Facts) -> CheckSummary:
    """A failure during which a tested container ended tells how: the runner saw a connection drop, and no more."""
    began = ended.get("startedAt")
    died = death(facts.pods, datetime.fromisoformat(began)) if began else None
    if died is None:
        return summary
    cause = told(died, facts)
    checks = {
        name: outcome.model_copy(update={"message": f"{outcome.message}: {cause}"})
        if outcome.status in (CheckStatus.FAILED, CheckStatus.WARNING)
        else outcome
        for name, outcome in summary.checks.items()
    }
    return summary.model_copy(update={"checks": checks})


def told(problem: Problem, facts: Facts) -> str:
    """What became of a model; of one that wanted more memory than its test allows, whose limit that is."""
    limit = facts.test.spec.maximum_memory
    if limit is None or facts.frozen is None or problem.reason is not Reason.OUT_OF_MEMORY:
        return problem.message
    found, _, _ = problem.message.partition(" Next: ")
    return (
        f"{found} The limit is the one of this test (spec.maximumMemory); the version's own is "
        f"{memory_limit(facts.frozen)}. Next: test with more, or make the model smaller in a new version."
    )


def _of_death(ended: dict[str, Any], status: dict[str, Any], facts: Facts, problem: str) -> CheckSummary:
    if ended.get("reason") == "OOMKilled":
        text = f"the test's own pod was killed for using more than {MEMORY} of memory; use a smaller data set"
        return _too_heavy(text, facts)
    if status.get("reason") == "DeadlineExceeded":
        return broken(_too_late(facts), facts)
    if status.get("reason") == "Evicted":
        return aborted(f"the test's own pod was evicted: {status.get('message', '')}", facts)
    if taken := _taken_away(status):
        return aborted(taken, facts)
    code = ended.get("exitCode")
    return aborted(f"the test's own pod ended with exit code {code}: {shorten(problem, 500)}", facts)


def _too_heavy(message: str, facts: Facts) -> CheckSummary:
    """What a runner takes grows with its data, since a model's answers are cut; what a test holds itself is small."""
    can_be_less = can_be_mended(facts.test)
    return accused(aborted(message, facts), facts) if can_be_less else broken(message, facts)


def _of_clock(facts: Facts, attempt: Attempt) -> CheckSummary | None:
    if facts.now >= attempt.begun + lifetime(facts):
        return aborted(_without_word(facts, attempt), facts)
    ended = next((c for c in attempt.job.get("status", {}).get("conditions", []) if _is_ended(c)), None)
    if ended and facts.now >= datetime.fromisoformat(ended["lastTransitionTime"]) + LATE:
        return aborted(_GONE, facts)
    return None


def _is_ended(condition: dict[str, Any]) -> bool:
    return condition["type"] in ENDED_JOB and condition["status"] == "True"


def lifetime(facts: Facts) -> timedelta:
    """From the Job's creation to the moment at which we stop waiting for it."""
    return facts.timeout + timedelta(seconds=DEADLINE_MARGIN) + LATE


def has_no_pod(attempt: Attempt, now: datetime) -> bool:
    """Whether the Job has had its time to get a pod and has none."""
    return not attempt.runners and now >= attempt.begun + LATE


def _without_word(facts: Facts, attempt: Attempt) -> str:
    if has_no_pod(attempt, facts.now):
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


def canceled(facts: Facts) -> CheckSummary:
    """A test that somebody ended: what had ended keeps its word, the rest did not run."""
    checks = _not_run(facts) | dict(facts.heard)
    return CheckSummary(overall_status=CheckStatus.CANCELED, checks=checks, error=CANCELED)


def _without_runner(message: str, facts: Facts, status: CheckStatus) -> CheckSummary:
    first = {CheckName.LONG_RUNNING_SERVICE: CheckOutcome(status=status, message=message)}
    return CheckSummary(overall_status=status, checks=_not_run(facts) | first, error=message)


def _not_run(facts: Facts) -> dict[CheckName, CheckOutcome]:
    asked = CheckConfiguration.model_validate(facts.test.spec.configuration.model_dump())
    skipped = CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped as configured")
    not_run = CheckOutcome(status=CheckStatus.ABORTED, message="Not run")
    return {name: skipped if asked.severity(name) == "skip" else not_run for name in CheckName}
