"""The pass over an environment version, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import EXECUTION_ENVIRONMENT_VERSION
from modelyard.kube.cluster import Cluster
from modelyard.reconcilers.execution_environment_version.assess import assess
from modelyard.reconcilers.execution_environment_version.observe import Resolve, observe
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled


class Reconciler:
    """The pass, with the registry that it asks."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(
        self, cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
    ) -> Outcome:
        """Resolve the image once; afterwards there is nothing to do."""
        facts = await observe(cluster, self._resolve, namespace, name, now)
        assessment = assess(facts) if facts else None
        if assessment is None:
            return Settled()
        await cluster.apply_status(EXECUTION_ENVIRONMENT_VERSION, namespace, name, assessment.status)
        return assessment.outcome
