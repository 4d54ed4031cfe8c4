"""The pass over a model, whole."""

from __future__ import annotations

from datetime import datetime

from modelyard.api.kinds import CUSTOM_MODEL, MODEL_LEDGER
from modelyard.api.reasons import Reason
from modelyard.kube.acts import carry_out, delete_all
from modelyard.kube.cluster import Cluster
from modelyard.kube.errors import AlreadyExists
from modelyard.manifests.metadata import is_of_another, is_owned_by
from modelyard.reconcilers.custom_model.advance import advance
from modelyard.reconcilers.custom_model.announce import announcements
from modelyard.reconcilers.custom_model.assess import assess
from modelyard.reconcilers.custom_model.desired import desired, ledger_manifest, stale_tests, without
from modelyard.reconcilers.custom_model.facts import Facts
from modelyard.reconcilers.custom_model.observe import lost_records, observe
from modelyard.settings import Settings
from modelyard.status.outcomes import Outcome, Settled
from modelyard.status.refusal import Refusal


async def reconcile(
    cluster: Cluster, settings: Settings, namespace: str, name: str, now: datetime
) -> Outcome:
    """Write what became true to the ledger, then make the cluster follow it."""
    lost = await lost_records(cluster, namespace, name)
    observed = observe(cluster, namespace, name, now, lost)
    if observed is None:
        return Settled()
    stale = stale_tests(observed)
    # While tests that ask nothing any more stand no verdict is spoken; what was decided is kept up.
    kept = await delete_all(cluster, stale)
    facts = observed if kept else advance(without(observed, stale))
    refusal = await _write_ledger(cluster, observed, facts)
    if refusal is None:
        plan = desired(facts, settings)
        refusal = await carry_out(cluster, plan.apply, plan.delete) or kept
        await _announce(cluster, observed, facts)
    assessment = assess(facts, refusal, settings)
    await cluster.apply_status(CUSTOM_MODEL, namespace, name, assessment.status)
    return assessment.outcome


async def _announce(cluster: Cluster, observed: Facts, facts: Facts) -> None:
    """Events for what this pass noted in the ledger."""
    about = cluster.get(CUSTOM_MODEL, facts.owner.namespace, facts.owner.name) or {}
    for reason, message, severity in announcements(observed.ledger, facts.ledger):
        await cluster.event(about, reason=reason, message=message, type=severity)


async def _write_ledger(cluster: Cluster, observed: Facts, facts: Facts) -> Refusal | None:
    """Create, replace or adopt the ledger; a ledger of another owner is waited for (it is being collected)."""
    found = observed.ledger_object
    if found is None:
        try:
            await cluster.create(ledger_manifest(facts))
        except AlreadyExists as error:
            return Refusal(Reason.NAME_TAKEN, str(error))
        return None
    if is_of_another(found, facts.owner.uid):
        text = f'{MODEL_LEDGER.name} "{facts.owner.name}" belongs to a former model of that name; waiting for its end'
        return Refusal(Reason.NAME_TAKEN, text)
    if not is_owned_by(found, facts.owner.uid) or facts.ledger != observed.ledger:
        await cluster.replace(ledger_manifest(facts))
    return None
