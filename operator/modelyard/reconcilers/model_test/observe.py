"""Gather what a pass over a test must know: the cache, and the data set when the test is about to start."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.dataset import DatasetSource
from modelyard.api.digests import version_key
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_TEST,
    POD,
    SERVICE,
)
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.frozen import kept
from modelyard.manifests.metadata import is_owned_by
from modelyard.manifests.test_job import job_name
from modelyard.reconcilers.model_test.facts import DataFacts, Facts
from modelyard.reconcilers.model_test.verdict import ATTEMPTS, is_inconclusive

MAXIMUM_DATA = 900 * 1024
"""Bytes of a data set that fit into the ConfigMap which the Job mounts."""

DATA_FILE = "rows.json"
"""Name of the data set's file in the Job, whatever it was called before."""


async def observe(cluster: Cluster, namespace: str, name: str, now: datetime) -> Facts | None:
    """The facts; None when the test is gone or going."""
    manifest = cluster.get(MODEL_TEST, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    facts = _cached(cluster, ModelTest.model_validate(manifest), now)
    if facts.is_over or not facts.can_start or not (facts.job is None or is_inconclusive(facts)):
        return facts
    return replace(facts, data=await _data(cluster, facts.test))


def _cached(cluster: Cluster, test: ModelTest, now: datetime) -> Facts:
    namespace = test.metadata.namespace
    facts = Facts(now, test, None, None, None, None, None, (), None, ())
    facts = _with_job(cluster, facts)
    found = cluster.get(CUSTOM_MODEL_VERSION, namespace, test.spec.version_ref.name)
    return _with_version(cluster, facts, CustomModelVersion.model_validate(found)) if found else facts


def _with_job(cluster: Cluster, facts: Facts) -> Facts:
    """With the Job of the latest attempt that was made."""
    namespace = facts.owner.namespace
    for attempt in range(ATTEMPTS, 0, -1):
        name = job_name(facts.owner, attempt)
        job = cluster.get(JOB, namespace, name)
        if job:
            pods = cluster.list(POD, namespace, {labels.WORKLOAD: name})
            runners = tuple(pod for pod in pods if is_owned_by(pod, job["metadata"]["uid"]))
            return replace(facts, job=job, runners=runners, attempt=attempt)
    return facts


def _with_version(cluster: Cluster, facts: Facts, version: CustomModelVersion) -> Facts:
    namespace, key = version.metadata.namespace, version_key(version.metadata.name, version.spec)
    model = cluster.get(CUSTOM_MODEL, namespace, version.spec.model_ref.name)
    facts = replace(facts, version=version, model=CustomModel.model_validate(model) if model else None)
    if facts.model is None:
        return facts
    revisions = cluster.list(CONTROLLER_REVISION, namespace, {labels.OF_VERSION: key})
    frozen = kept(revisions, facts.model.metadata.uid)
    if frozen is None:
        return facts
    return replace(
        facts,
        frozen=frozen,
        deployment=cluster.get(DEPLOYMENT, namespace, frozen.workload),
        service=cluster.get(SERVICE, namespace, frozen.workload),
        pods=tuple(cluster.list(POD, namespace, {labels.WORKLOAD: frozen.workload})),
    )


async def _data(cluster: Cluster, test: ModelTest) -> DataFacts:
    dataset = test.spec.dataset
    if dataset is None or test.spec.configuration.error_check == "skip":
        return DataFacts()
    namespace, name = test.metadata.namespace, test.metadata.name
    if dataset.config_map:
        found = await cluster.read(CONFIG_MAP, namespace, dataset.config_map.name)
        return _from_config_map(found, dataset, namespace)
    full = await cluster.read(MODEL_TEST, namespace, name)
    if full is None:
        return DataFacts(reason=Reason.WAITING_FOR_VERSION, message="the test was deleted")
    inline = ModelTest.model_validate(full).spec.dataset
    return DataFacts(DATA_FILE, inline.inline[0].content if inline and inline.inline else "")


def _from_config_map(found: Manifest | None, dataset: DatasetSource, namespace: str) -> DataFacts:
    ref = dataset.config_map
    assert ref is not None
    if found is None:
        message = (
            f'ConfigMap "{ref.name}" of spec.dataset does not exist in namespace "{namespace}"; create it'
        )
        return DataFacts(reason=Reason.CONFIG_MAP_NOT_FOUND, message=message)
    data: dict[str, str] = found.get("data") or {}
    keys = ", ".join(sorted(data)) or "none"
    if ref.key is None and len(data) != 1:
        message = f'spec.dataset.configMap.key must be set: ConfigMap "{ref.name}" has the keys {keys}'
        return DataFacts(reason=Reason.INVALID_DATASET, message=message)
    key = ref.key or next(iter(data))
    if key not in data:
        return DataFacts(
            reason=Reason.INVALID_DATASET,
            message=f'ConfigMap "{ref.name}" has no key "{key}" (it has: {keys})',
        )
    size = len(data[key].encode())
    if size > MAXIMUM_DATA:
        message = (
            f'ConfigMap "{ref.name}" key "{key}" holds {size} bytes; a test takes at most {MAXIMUM_DATA}'
        )
        return DataFacts(reason=Reason.INVALID_DATASET, message=message)
    return DataFacts(DATA_FILE, data[key])
