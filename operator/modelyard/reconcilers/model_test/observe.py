"""Gather what a pass over a test must know: the cache, and the data set when the test is about to need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.digests import version_key
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    SERVICE,
)
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.dedicated import code_map_of
from modelyard.manifests.frozen import kept
from modelyard.manifests.gate_test import gate_places
from modelyard.manifests.metadata import is_of_another, is_owned_by
from modelyard.manifests.test_job import job_name
from modelyard.reconcilers.model_test.dataset import read_data
from modelyard.reconcilers.model_test.facts import Attempt, Facts
from modelyard.reconcilers.model_test.keep import heard
from modelyard.reconcilers.model_test.start import obstacle
from modelyard.reconcilers.model_test.verdict import ATTEMPTS, runs
from modelyard.roles.gate import tests_of
from modelyard.roles.turns import Contender, contenders, is_queued

CHILDREN = (JOB, DEPLOYMENT, SERVICE, NETWORK_POLICY, CONFIG_MAP)
"""Kinds of what is made for a test, in the order in which it is removed: what runs first."""


async def observe(cluster: Cluster, namespace: str, name: str, now: datetime) -> Facts | None:
    """The facts; None when the test is gone or going."""
    manifest = cluster.get(MODEL_TEST, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    facts = _cached(cluster, ModelTest.of(manifest), now)
    if facts.test.spec.cancel and not facts.is_over and runs(facts):
        return replace(facts, heard=await heard(cluster, facts))
    return replace(facts, data=await read_data(cluster, facts.test)) if _needs_data(facts) else facts


def _needs_data(facts: Facts) -> bool:
    """Once before the test waits for its turn, so that it waits for nothing else, and once to start."""
    if facts.is_over or runs(facts) or obstacle(facts) or facts.test.spec.cancel:
        return False
    if facts.has_turn:
        return facts.is_ready
    dataset = facts.test.spec.dataset
    return not is_queued(facts.test) and dataset is not None and dataset.config_map is not None


def _cached(cluster: Cluster, test: ModelTest, now: datetime) -> Facts:
    facts = _with_children(cluster, Facts(now, test))
    facts = replace(facts, attempts=tuple(_attempts(cluster, facts)))
    if facts.is_over:
        return facts
    found = cluster.get(CUSTOM_MODEL_VERSION, facts.owner.namespace, test.spec.version_ref.name)
    if found is None:
        return _with_workload(cluster, _orphaned(cluster, facts))
    return _with_workload(cluster, _with_version(cluster, facts, CustomModelVersion.of(found)))


def _with_children(cluster: Cluster, facts: Facts) -> Facts:
    """With what was made for this very test; one of its name that was deleted may have left some."""
    owner = facts.owner
    of_test = {labels.OF_TEST: owner.name}
    made = [m for kind in CHILDREN for m in cluster.list(kind, owner.namespace, of_test)]
    living = (pod for pod in cluster.list(POD, owner.namespace, of_test) if not _has_ended(pod))
    return replace(
        facts,
        children=tuple(manifest for manifest in made if is_owned_by(manifest, owner.uid)),
        peopled=frozenset(str(pod["metadata"]["labels"].get(labels.WORKLOAD)) for pod in living),
    )


def _has_ended(pod: Manifest) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _attempts(cluster: Cluster, facts: Facts) -> Iterator[Attempt]:
    namespace = facts.owner.namespace
    for number in range(1, ATTEMPTS + 1):
        name = job_name(facts.owner, number)
        job = cluster.get(JOB, namespace, name)
        if job:
            pods = cluster.list(POD, namespace, {labels.WORKLOAD: name})
            runners = tuple(pod for pod in pods if is_owned_by(pod, job["metadata"]["uid"]))
            yield Attempt(number, job, runners)


def _with_version(cluster: Cluster, facts: Facts, version: CustomModelVersion) -> Facts:
    namespace, key = version.metadata.namespace, version_key(version.metadata.name, version.spec)
    facts = replace(facts, version=version)
    found = cluster.get(CUSTOM_MODEL, namespace, version.spec.model_ref.name)
    if found is None:
        return facts
    model = CustomModel.of(found)
    revisions = cluster.list(CONTROLLER_REVISION, namespace, {labels.OF_VERSION: key})
    frozen = kept(revisions, model.metadata.uid)
    code = code_map_of(frozen) if frozen else None
    has_code = code is not None and cluster.get(CONFIG_MAP, namespace, code) is not None
    return _with_turn(cluster, replace(facts, model=model, frozen=frozen, code_exists=has_code), model)


def _with_turn(cluster: Cluster, facts: Facts, model: CustomModel) -> Facts:
    facts, meta = replace(facts, rivals=_rivals(cluster, facts, model)), model.metadata
    ledger = cluster.get(MODEL_LEDGER, meta.namespace, meta.name)
    if ledger is None or is_of_another(ledger, meta.uid):
        return facts
    return replace(facts, testing=ModelLedgerSpec.of(ledger["spec"]).testing)


def _orphaned(cluster: Cluster, facts: Facts) -> Facts:
    """Of a test whose version is gone: it may have its turn all the same, and must give it back."""
    for ledger in cluster.referring(MODEL_LEDGER, facts.owner.namespace, "testing.name", facts.owner.name):
        testing = ModelLedgerSpec.of(ledger["spec"]).testing
        if testing is not None and testing.uid == facts.owner.uid:
            return replace(facts, testing=testing)
    return facts


def _rivals(cluster: Cluster, facts: Facts, model: CustomModel) -> tuple[Contender, ...]:
    """Those of the gate go first in any case, so that their own order matters to their own kind alone."""
    places = gate_places(facts.frozen, tests_of(model.spec)) if facts.frozen and facts.is_of_gate else {}
    tests = list(_open_tests(cluster, model))
    first = {test.metadata.name: 0 for test in tests if _owner_is(test, model)}
    return contenders(tests, first | places)


def _open_tests(cluster: Cluster, model: CustomModel) -> Iterator[ModelTest]:
    namespace, name = model.metadata.namespace, model.metadata.name
    for version in cluster.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", name):
        for test in cluster.referring(MODEL_TEST, namespace, "versionRef.name", version["metadata"]["name"]):
            if not test.get("status", {}).get("completedAt"):
                yield ModelTest.of(test)


def _owner_is(test: ModelTest, model: CustomModel) -> bool:
    return any(owner.uid == model.metadata.uid for owner in test.metadata.owner_references)


def _with_workload(cluster: Cluster, facts: Facts) -> Facts:
    name, namespace = facts.workload, facts.owner.namespace
    if name is None:
        return facts
    return replace(
        facts,
        deployment=cluster.get(DEPLOYMENT, namespace, name),
        service=cluster.get(SERVICE, namespace, name),
        pods=tuple(cluster.list(POD, namespace, {labels.WORKLOAD: name})),
    )
