"""Keep the report of a test that has ended: read the log of its runner, and store what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from modelyard.api.check_plan import CheckName, CheckOutcome
from modelyard.api.check_report import outcomes_in, report_in, without_machine_lines
from modelyard.api.kinds import MODEL_TEST
from modelyard.kube.cluster import LOG_TIMEOUT, Cluster
from modelyard.kube.errors import ApiError
from modelyard.manifests.metadata import Owner
from modelyard.manifests.test_job import CONTAINER
from modelyard.manifests.test_report import report_map
from modelyard.reconcilers.model_test.dataset import is_mended
from modelyard.reconcilers.model_test.facts import Facts
from modelyard.reconcilers.model_test.report import (
    MAX_READ,
    Kept,
    Promise,
    afterwards,
    expires_at,
    is_due,
    is_settled,
    lost,
    not_yet,
    promised,
    status_after,
    stored,
)
from modelyard.roles.gate import awaits_data
from modelyard.status.outcomes import Outcome, Settled

FIRST_TIMEOUT = 2.0
"""Seconds that the verdict of a test may wait for its report, if the node does not answer."""


async def keep(cluster: Cluster, facts: Facts, *, ended_at: datetime) -> Kept:
    """Read and store the report; what hinders it is a value, since the verdict stands without it."""
    promise = promised(facts.runners)
    if isinstance(promise, str):
        return lost(promise)
    seconds = LOG_TIMEOUT if is_due(ended_at, facts.now) else FIRST_TIMEOUT
    try:
        return await _kept(cluster, facts.owner, promise, seconds=seconds)
    except (ApiError, ValueError) as error:
        return not_yet(promise, str(error), ended_at=ended_at, now=facts.now)


async def _kept(cluster: Cluster, test: Owner, promise: Promise, *, seconds: float) -> Kept:
    """Raises errors.ApiError, and ValueError for a log that does not hold what was promised."""
    log = await cluster.log(test.namespace, promise.pod, CONTAINER, limit_bytes=MAX_READ, seconds=seconds)
    if log is None:
        return lost(f'pod "{promise.pod}" is gone, and its log with it')
    report = report_in(log, promise.digest)
    await cluster.apply(report_map(test, report=report, log=without_machine_lines(log)))
    return stored(test, promise.digest)


async def heard(cluster: Cluster, facts: Facts) -> Mapping[CheckName, CheckOutcome]:
    """The outcomes of the checks that have ended so far; none when the log cannot be read at once."""
    found: dict[CheckName, CheckOutcome] = {}
    for pod in facts.runners:
        where = facts.owner.namespace, str(pod["metadata"]["name"]), CONTAINER
        try:
            log = await cluster.log(*where, limit_bytes=MAX_READ, seconds=FIRST_TIMEOUT)
        except ApiError:
            continue
        found |= outcomes_in(log or "")
    return found


async def follow_up(cluster: Cluster, facts: Facts) -> Outcome:
    """All that is left to do for a test that is over: its report, its end. Usually nothing."""
    test, owner, ended_at = facts.test, facts.owner, facts.test.status.completed_at
    assert ended_at is not None
    expiry = expires_at(test, ended_at)
    is_due_to_go = expiry is not None and facts.now >= expiry
    if is_due_to_go or await _is_to_be_made_anew(cluster, facts):
        await cluster.delete(MODEL_TEST, owner.namespace, owner.name, uid=owner.uid)
        return Settled()
    settled, kept = is_settled(test), None
    if not settled and is_due(ended_at, facts.now):
        kept = await keep(cluster, facts, ended_at=ended_at)
    if kept or test.status.observed_generation != test.metadata.generation:
        status = status_after(test, kept, facts.now)
        await cluster.apply_status(MODEL_TEST, owner.namespace, owner.name, status)
    return afterwards(test, ended_at, settled=kept.is_settled if kept else settled, now=facts.now)


async def _is_to_be_made_anew(cluster: Cluster, facts: Facts) -> bool:
    """Whether a test of the gate goes so that its version is asked again, with data that was mended."""
    return facts.is_of_gate and awaits_data(facts.test.status) and await is_mended(cluster, facts)
