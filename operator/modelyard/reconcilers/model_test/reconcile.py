"""The pass over a test, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import MODEL_TEST
from modelyard.kube.acts import apply_all, delete_all
from modelyard.kube.cluster import Cluster
from modelyard.reconcilers.model_test.assess import assess
from modelyard.reconcilers.model_test.desired import desired
from modelyard.reconcilers.model_test.ending import ending
from modelyard.reconcilers.model_test.keep import follow_up, keep
from modelyard.reconcilers.model_test.observe import observe
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled


async def reconcile(
    cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
) -> Outcome:
    """Wait for the turn, run once when what is tested is ready, report how it ended, and leave nothing behind."""
    facts = await observe(cluster, namespace, name, now)
    if facts is None:
        return Settled()
    plan = desired(facts, settings)
    await delete_all(cluster, plan.delete)
    refusal = await apply_all(cluster, plan.apply)
    if facts.is_over:
        return await follow_up(cluster, facts)
    kept = await keep(cluster, facts, ended_at=now) if ending(facts) else None
    assessment = assess(facts, refusal, started=plan.starts and refusal is None, kept=kept)
    await cluster.apply_status(MODEL_TEST, namespace, name, assessment.status)
    return assessment.outcome
