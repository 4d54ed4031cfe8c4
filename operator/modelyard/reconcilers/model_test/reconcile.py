"""The pass over a test, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import MODEL_TEST
from modelyard.kube.acts import apply_all, delete_all
from modelyard.kube.cluster import Cluster
from modelyard.kube.errors import Forbidden
from modelyard.reconcilers.model_test.assess import assess
from modelyard.reconcilers.model_test.desired import desired
from modelyard.reconcilers.model_test.ending import ending
from modelyard.reconcilers.model_test.keep import follow_up, keep
from modelyard.reconcilers.model_test.observe import observe
from modelyard.reconcilers.model_test.verdict import runs
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled
from modelyard.status.refusal import Refusal


async def reconcile(
    cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
) -> Outcome:
    """Wait for the turn, run once when what is tested is ready, report how it ended, and leave nothing behind."""
    facts = await observe(cluster, namespace, name, now)
    if facts is None:
        return Settled()
    plan = desired(facts, settings)
    refusal = await delete_all(cluster, plan.delete) or await apply_all(cluster, plan.apply)
    if facts.is_over:
        return _until_gone(await follow_up(cluster, facts), refusal)
    asks_on = refusal is not None and runs(facts)  # canceled, and its Job may not go: it keeps its turn
    kept = await keep(cluster, facts, ended_at=now) if ending(facts) and not asks_on else None
    assessment = assess(facts, refusal, started=plan.starts and refusal is None, kept=kept)
    await cluster.apply_status(MODEL_TEST, namespace, name, assessment.status)
    return _until_gone(assessment.outcome, refusal) if kept else assessment.outcome


def _until_gone(outcome: Outcome, refusal: Refusal | None) -> Outcome:
    """After the verdict, of which the status speaks, a deletion that was refused is a failure of the pass: it is tried
    again, ever less often, and the log says why. Raises errors.Forbidden."""
    if refusal is not None:
        raise Forbidden(refusal.message)
    return outcome
