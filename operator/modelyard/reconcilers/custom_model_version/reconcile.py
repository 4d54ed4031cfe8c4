"""The pass over a version, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import CUSTOM_MODEL_VERSION
from modelyard.kube.acts import carry_out
from modelyard.kube.cluster import Cluster
from modelyard.reconcilers.custom_model_version.assess import assess
from modelyard.reconcilers.custom_model_version.desired import desired, freeze
from modelyard.reconcilers.custom_model_version.observe import observe, with_gate
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled


async def reconcile(
    cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
) -> Outcome:
    """Keep a version's children as frozen and its status true."""
    observed = await observe(cluster, namespace, name, now)
    if observed is None:
        return Settled()
    facts = await with_gate(cluster, freeze(observed, settings))
    plan = desired(facts, settings)
    refusal = await carry_out(cluster, plan.apply, plan.delete)
    assessment = assess(facts, refusal)
    await cluster.apply_status(CUSTOM_MODEL_VERSION, namespace, name, assessment.status)
    return assessment.outcome
