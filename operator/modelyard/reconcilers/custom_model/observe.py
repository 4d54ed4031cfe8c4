"""Gather what a pass over a model must know; everything is in the cache."""

from __future__ import annotations

from collections.abc import Iterable
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
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.frozen import from_revision
from modelyard.reconcilers.custom_model.facts import Facts, Workload
from modelyard.roles.ledger import Declared

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


def observe(cluster: Cluster, namespace: str, name: str, now: datetime) -> Facts | None:
    """The facts; None when the model is gone or going."""
    manifest = cluster.get(CUSTOM_MODEL, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    model = CustomModel.model_validate(manifest)
    ledger = cluster.get(MODEL_LEDGER, namespace, name)
    children = tuple(_children(cluster, model))
    return Facts(
        now=now,
        model=model,
        ledger=ModelLedgerSpec.model_validate(ledger["spec"]) if ledger else ModelLedgerSpec(model_name=name),
        ledger_object=ledger,
        declared=tuple(_declared(cluster.list(CUSTOM_MODEL_VERSION, namespace), name)),
        workloads=dict(_workloads(cluster, namespace, children)),
        tests=tuple(ModelTest.model_validate(m) for m in children if m["kind"] == MODEL_TEST.name),
        stable_endpoints=tuple(cluster.list(ENDPOINT_SLICE, namespace, {SERVICE_NAME: name})),
        children=children,
    )


def _children(cluster: Cluster, model: CustomModel) -> Iterable[Manifest]:
    """Objects of versions that this very model owns; those of a former model of that name are not ours."""
    of_model = {labels.OF_MODEL: model.metadata.name}
    for kind in VERSION_CHILDREN:
        for manifest in cluster.list(kind, model.metadata.namespace, of_model):
            if labels.OF_VERSION in manifest["metadata"]["labels"] and _is_owned_by(manifest, model):
                yield manifest


def _is_owned_by(manifest: Manifest, model: CustomModel) -> bool:
    references = manifest["metadata"].get("ownerReferences", [])
    return any(reference["uid"] == model.metadata.uid for reference in references)


def _workloads(
    cluster: Cluster, namespace: str, children: tuple[Manifest, ...]
) -> Iterable[tuple[str, Workload]]:
    revisions = [child for child in children if child["kind"] == CONTROLLER_REVISION.name]
    revisions.sort(key=lambda revision: revision["metadata"]["creationTimestamp"], reverse=True)
    for revision in revisions:
        frozen = from_revision(revision)
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


def _declared(manifests: Iterable[Manifest], model: str) -> Iterable[Declared]:
    for manifest in manifests:
        if manifest["spec"]["modelRef"]["name"] != model or manifest["metadata"].get("deletionTimestamp"):
            continue
        version = CustomModelVersion.model_validate(manifest)
        meta, spec = version.metadata, version.spec
        key = version_key(meta.name, spec)
        yield Declared(key, meta.name, spec.label, spec.is_major_update, meta.creation_timestamp)
