"""What becomes of the full report of a test, and what is left to do for a test that has ended. Pure.

    the runner ended, its summary tells the report's digest    its log is read
    the log holds the report of that digest                    ConfigMap, ReportStored True/Stored
    the log cannot be read now                                 ReportStored Unknown/ReadingLog, again for a minute
    there is none, or no minute was enough                     ReportStored False/ReportIncomplete

The verdict never waits for the report, and once settled the report is left alone: a ConfigMap that somebody
deletes is not made again, as the log may be gone by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.check_plan import ReportDigest, parse_summary
from modelyard.api.check_report import MAX_LOG, MAX_REPORT
from modelyard.api.model_test import ModelTest, ReportRef
from modelyard.api.reasons import ConditionType as Type
from modelyard.api.reasons import Reason
from modelyard.manifests.metadata import Manifest, Owner
from modelyard.manifests.test_report import report_name
from modelyard.reconcilers.model_test.verdict import end_of_runner
from modelyard.roles.gate import awaits_data
from modelyard.status.assessment import RETRY, status_of
from modelyard.status.conditions import Finding, false, true, unknown
from modelyard.status.outcomes import Outcome, Settled, Waiting

PATIENCE = timedelta(seconds=60)
"""From the end of a test: for how long its log is asked for."""

SHORTEST_PAUSE = timedelta(seconds=2)

MAX_READ = 2 * (MAX_LOG + MAX_REPORT)
"""Bytes of a log that are read: what a runner prints, and room for what it should not print."""


@dataclass(frozen=True, slots=True)
class Promise:
    """The report that a runner told of when it ended, and the pod in whose log it is."""

    pod: str
    digest: ReportDigest


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be said of the report: the condition, and where it is."""

    finding: Finding
    report: ReportRef | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing will change about it."""
        return self.finding.status != "Unknown"


def promised(runners: Sequence[Manifest]) -> Promise | str:
    """The report that the pods of the last attempt tell of, or why there is none."""
    if not runners:
        return "the test has no pod whose log could hold a report"
    for pod in runners:
        ended = end_of_runner(pod)
        if ended is not None:
            return _told(str(pod["metadata"]["name"]), str(ended.get("message", "")))
    return "the test ended before its runner did, and without a report"


def _told(pod: str, message: str) -> Promise | str:
    try:
        summary = parse_summary(message)
    except ValueError as error:
        return f'the runner left no report: {error}. Its log, if it is there still: kubectl logs "{pod}"'
    if summary.report is None:
        return f'the runner made no report. Its log, if it is there still: kubectl logs "{pod}"'
    return Promise(pod, summary.report)


def stored(owner: Owner, digest: ReportDigest) -> Kept:
    """It is kept."""
    name = report_name(owner)
    message = (
        f'in ConfigMap "{name}"; read it with: modelyard report {owner.name} --namespace {owner.namespace}'
    )
    reference = ReportRef(config_map=name, length=digest.length, sha256=digest.sha256)
    return Kept(true(Type.REPORT_STORED, Reason.STORED, message), reference)


def lost(cause: str) -> Kept:
    """It is not kept, for good."""
    return Kept(false(Type.REPORT_STORED, Reason.REPORT_INCOMPLETE, cause))


def not_yet(promise: Promise, cause: str, *, ended_at: datetime, now: datetime) -> Kept:
    """It could not be read or kept this time; lost when it was tried for long enough.

    The condition does not tell the cause of each try, so that one cause after another writes nothing.
    """
    if now >= ended_at + PATIENCE:
        return lost(f"given up after {PATIENCE.total_seconds():.0f} s: {cause}")
    return Kept(unknown(Type.REPORT_STORED, Reason.READING_LOG, f'reads the log of pod "{promise.pod}"'))


def is_settled(test: ModelTest) -> bool:
    """Whether a test that is over has said whether its report is kept, or never spoke of one."""
    said = (c.status for c in test.status.conditions if c.type == Type.REPORT_STORED)
    return next(said, "False") != "Unknown"


def is_due(ended_at: datetime, now: datetime) -> bool:
    """Whether to try again already: the verdict's own write wakes its test at once."""
    return now >= ended_at + SHORTEST_PAUSE


def pause(ended_at: datetime, now: datetime) -> timedelta:
    """How long to wait before the next try: as long as it took so far, and not beyond the end of PATIENCE."""
    until_end = ended_at + PATIENCE - now
    return max(SHORTEST_PAUSE, min(now - ended_at, until_end))


def expires_at(test: ModelTest, ended_at: datetime) -> datetime | None:
    """When the test is to be deleted, with all that it owns; None for a test that is kept.

    What the gate of a model made is kept as the gate says, whatever somebody wrote into it.
    """
    seconds = test.spec.ttl_seconds_after_finished
    return None if seconds is None or _is_of_gate(test) else ended_at + timedelta(seconds=seconds)


def _is_of_gate(test: ModelTest) -> bool:
    return any(owner.controller for owner in test.metadata.owner_references)


def afterwards(test: ModelTest, ended_at: datetime, *, settled: bool, now: datetime) -> Outcome:
    """When to look at a test that has ended again: for its report, to delete it in time, and for other data."""
    due = [] if settled else [pause(ended_at, now)]
    expiry = expires_at(test, ended_at)
    if expiry is not None:
        due.append(max(timedelta(0), expiry - now))
    if awaits_data(test.status) and _is_of_gate(test):
        due.append(RETRY)
    return Waiting(min(due)) if due else Settled()


def status_after(test: ModelTest, kept: Kept | None, now: datetime) -> dict[str, Any]:
    """The status of a test that was over before: what it said, with what became of its report."""
    told = test.status.model_dump(mode="json", by_alias=True, exclude_unset=True)
    found = [
        Finding(Type(condition.type), condition.status, Reason(condition.reason), condition.message)
        for condition in test.status.conditions
        if kept is None or condition.type != Type.REPORT_STORED
    ]
    fields = {name: told[name] for name in told if name not in ("conditions", "observedGeneration")}
    if kept:
        found.append(kept.finding)
        fields["report"] = kept.report.to_json() if kept.report else None
    return status_of(test.metadata, test.status.conditions, found, now=now, **fields)
