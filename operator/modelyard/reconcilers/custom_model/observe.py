"""Gather what a pass over a model must know; everything is in the cache, but for records that lost our label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
    ENDPOINT_SLICE,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.api.meta import Condition
from modelyard.api.model_ledger import ModelLedgerSpec, TestingFact, VersionFact
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import ConditionType
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.frozen import kept
from modelyard.manifests.metadata import is_of_another, is_owned_by
from modelyard.reconcilers.custom_model.facts import Facts, Workload
from modelyard.roles.ledger import Declared, rebuilt
from modelyard.roles.roles import Role
from modelyard.status.pods import OWN_FAULTS

SERVICE_NAME = "kubernetes.io/service-name"
"""Label of EndpointSlices: the Service that they belong to."""

VERSION_CHILDREN = (
    DEPLOYMENT,
    SERVICE,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    MODEL_TEST,
)
"""Kinds of a version's children, in the order in which they are removed: what runs first, the record last."""


async def lost_records(cluster: Cluster, namespace: str, name: str) -> list[Manifest]:
    """Records of what is deployed that lost our label, so that no watch tells of them: asked for by their names."""
    model = cluster.get(CUSTOM_MODEL, namespace, name)
    deployed = cluster.list(DEPLOYMENT, namespace, {labels.OF_MODEL: name}) if model else ()
    workloads = [
        child["metadata"]["name"] for child in deployed if labels.OF_VERSION in child["metadata"]["labels"]
    ]
    unknown = [found for found in workloads if cluster.get(CONTROLLER_REVISION, namespace, found) is None]
    read = [await cluster.read(CONTROLLER_REVISION, namespace, found) for found in unknown]
    return [record for record in read if record and labels.OF_VERSION in record["metadata"].get("labels", {})]


def observe(
    cluster: Cluster, namespace: str, name: str, now: datetime, lost: Iterable[Manifest] = ()
) -> Facts | None:
    """The facts, with these records beside the cached ones; None when the model is gone or going."""
    manifest = cluster.get(CUSTOM_MODEL, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    model = CustomModel.of(manifest)
    ledger = cluster.get(MODEL_LEDGER, namespace, name)
    children = (*_children(cluster, model), *_not_cached(cluster, model, lost))
    versions = list(_versions(cluster, namespace, name))
    workloads = dict(_workloads(cluster, namespace, model.metadata.uid, children))
    facts = _ledger(ledger, model) if ledger else _rebuilt(cluster, model, workloads, now)
    return Facts(
        now=now,
        model=model,
        ledger=facts,
        ledger_object=ledger,
        declared=tuple(map(_declared, versions)),
        waiting=dict(_waiting(versions)),
        workloads=workloads,
        tests=tuple(ModelTest.of(m) for m in children if m["kind"] == MODEL_TEST.name),
        open_tests=tuple(_open_tests(cluster, namespace, versions, facts.testing)),
        begun=frozenset(_begun(cluster, namespace, name)),
        stable_endpoints=tuple(cluster.list(ENDPOINT_SLICE, namespace, {SERVICE_NAME: name})),
        children=children,
    )


def _children(cluster: Cluster, model: CustomModel) -> Iterable[Manifest]:
    """Objects of versions that this very model owns; those of a former model of that name are not ours."""
    of_model = {labels.OF_MODEL: model.metadata.name}
    for kind in VERSION_CHILDREN:
        for manifest in cluster.list(kind, model.metadata.namespace, of_model):
            is_of_version = labels.OF_VERSION in manifest["metadata"]["labels"]
            if is_of_version and is_owned_by(manifest, model.metadata.uid):
                yield manifest


def _not_cached(cluster: Cluster, model: CustomModel, lost: Iterable[Manifest]) -> Iterable[Manifest]:
    """Of the records that were read those of this very model that another pass did not mend meanwhile."""
    for record in lost:
        known = cluster.get(CONTROLLER_REVISION, model.metadata.namespace, record["metadata"]["name"])
        if known is None and is_owned_by(record, model.metadata.uid):
            yield record


def _open_tests(
    cluster: Cluster, namespace: str, versions: Iterable[CustomModelVersion], held: TestingFact | None
) -> Iterable[ModelTest]:
    """The one whose turn it is counts even if the object of its version is gone."""
    names = [version.metadata.name for version in versions]
    found = [m for name in names for m in cluster.referring(MODEL_TEST, namespace, "versionRef.name", name)]
    has_turn = cluster.get(MODEL_TEST, namespace, held.name) if held else None
    if held and has_turn and has_turn["metadata"]["uid"] == held.uid and has_turn not in found:
        found.append(has_turn)
    for manifest in sorted(found, key=lambda test: str(test["metadata"]["name"])):
        if not manifest.get("status", {}).get("completedAt"):
            yield ModelTest.of(manifest)


def _begun(cluster: Cluster, namespace: str, model: str) -> Iterable[str]:
    """uids of tests that something was made for."""
    for kind in (JOB, DEPLOYMENT):
        for manifest in cluster.list(kind, namespace, {labels.OF_MODEL: model}):
            if labels.OF_TEST in manifest["metadata"]["labels"]:
                yield from (owner["uid"] for owner in manifest["metadata"].get("ownerReferences", []))


def _ledger(manifest: Manifest, model: CustomModel) -> ModelLedgerSpec:
    """The facts of the model; none from the ledger of a former model of that name."""
    if is_of_another(manifest, model.metadata.uid):
        return ModelLedgerSpec(model_name=model.metadata.name)
    return ModelLedgerSpec.of(manifest["spec"])


def _rebuilt(
    cluster: Cluster, model: CustomModel, workloads: Mapping[str, Workload], now: datetime
) -> ModelLedgerSpec:
    """What the model's own objects tell when it has no ledger; nothing of a new model."""
    meta = model.metadata
    records = [workload.frozen for workload in workloads.values()]
    known = [VersionFact(key=frozen.key, name=frozen.version, label=frozen.label) for frozen in records]
    service = cluster.get(SERVICE, meta.namespace, meta.name)
    selected = (
        service["spec"]["selector"].get(labels.SERVES) if service and is_owned_by(service, meta.uid) else None
    )
    return rebuilt(meta.name, known, selected, now=now)


def _workloads(
    cluster: Cluster, namespace: str, owner_uid: str, children: tuple[Manifest, ...]
) -> Iterable[tuple[str, Workload]]:
    revisions: dict[str, list[Manifest]] = defaultdict(list)
    for child in children:
        if child["kind"] == CONTROLLER_REVISION.name:
            revisions[child["metadata"]["labels"][labels.OF_VERSION]].append(child)
    for of_version in revisions.values():
        frozen = kept(of_version, owner_uid)
        if frozen is None:
            continue
        of_workload = {labels.WORKLOAD: frozen.workload}
        yield (
            frozen.key,
            Workload(
                frozen,
                cluster.get(DEPLOYMENT, namespace, frozen.workload),
                tuple(cluster.list(POD, namespace, of_workload)),
                tuple(cluster.list(ENDPOINT_SLICE, namespace, {SERVICE_NAME: frozen.workload})),
            ),
        )


def _versions(cluster: Cluster, namespace: str, model: str) -> Iterable[CustomModelVersion]:
    for manifest in cluster.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", model):
        if not manifest["metadata"].get("deletionTimestamp"):
            yield CustomModelVersion.of(manifest)


def _declared(version: CustomModelVersion) -> Declared:
    meta, spec = version.metadata, version.spec
    return Declared(_key(version), meta.name, spec.label, spec.is_major_update, meta.creation_timestamp)


def _waiting(versions: Iterable[CustomModelVersion]) -> Iterable[tuple[str, Condition]]:
    """By key what each version said, as candidate, that keeps it from being ready; waiting a while is nothing."""
    for version in versions:
        ready = next((c for c in version.status.conditions if c.type == ConditionType.READY), None)
        tells = ready and (ready.status == "False" or ready.reason in OWN_FAULTS)
        if ready and tells and version.status.role == Role.CANDIDATE:
            yield _key(version), ready


def _key(version: CustomModelVersion) -> str:
    return version_key(version.metadata.name, version.spec)
