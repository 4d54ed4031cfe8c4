"""The pass over an environment, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import EXECUTION_ENVIRONMENT
from modelyard.kube.acts import apply_all
from modelyard.kube.cluster import Cluster
from modelyard.reconcilers.execution_environment.assess import assess
from modelyard.reconcilers.execution_environment.desired import desired
from modelyard.reconcilers.execution_environment.observe import observe
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled


async def reconcile(
    cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
) -> Outcome:
    """Keep the newest version like the environment, and show how it is."""
    facts = observe(cluster, namespace, name, now)
    if facts is None:
        return Settled()
    wanted = desired(facts)
    refusal = await apply_all(cluster, wanted)
    assessment = assess(facts, refusal, current=wanted[-1]["metadata"]["name"])
    await cluster.apply_status(EXECUTION_ENVIRONMENT, namespace, name, assessment.status)
    return assessment.outcome
