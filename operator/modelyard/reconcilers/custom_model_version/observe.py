"""Gather what a pass over a version must know: the cache, and the few things that the cache does not hold."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.digests import version_key
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import Reason
from modelyard.kube.cluster import Cluster, Manifest
from modelyard.manifests.code import START_SCRIPT, CodeFile
from modelyard.manifests.frozen import Frozen, kept
from modelyard.manifests.gate_test import is_asked
from modelyard.manifests.metadata import is_of_another, is_owned_by
from modelyard.manifests.names import child_name
from modelyard.reconcilers.custom_model_version.facts import Facts, SourceFacts
from modelyard.roles.gate import tests_of
from modelyard.roles.ledger import Declared, label_conflict
from modelyard.roles.roles import Role

CHILDREN = (
    DEPLOYMENT,
    SERVICE,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    CONFIG_MAP,
    CONTROLLER_REVISION,
)
"""Kinds of a version's children, in the order in which they are removed: what runs first, the record last."""

MAXIMUM_CODE = 900 * 1024
"""Bytes of code in one ConfigMap; the API server takes 1 MiB with everything around it."""


async def observe(cluster: Cluster, namespace: str, name: str, now: datetime) -> Facts | None:
    """The facts; None when the version is gone or going."""
    manifest = cluster.get(CUSTOM_MODEL_VERSION, namespace, name)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    facts = await _with_lost_record(cluster, _cached(cluster, CustomModelVersion.of(manifest), now))
    facts = replace(facts, source=await _source(cluster, facts))
    return facts


def _cached(cluster: Cluster, version: CustomModelVersion, now: datetime) -> Facts:
    namespace, spec = version.metadata.namespace, version.spec
    model_name, key = spec.model_ref.name, version_key(version.metadata.name, spec)
    model = _model(cluster.get(CUSTOM_MODEL, namespace, model_name))
    ledger = _ledger(cluster.get(MODEL_LEDGER, namespace, model_name), model)
    children = tuple(_children(cluster, namespace, key, model))
    revisions = [child for child in children if child["kind"] == CONTROLLER_REVISION.name]
    frozen = kept(revisions, model.metadata.uid) if model else None
    environment = _environment(cluster.get(EXECUTION_ENVIRONMENT, namespace, spec.environment_ref.name))
    pods = cluster.list(POD, namespace, {labels.SERVES: key})
    facts = Facts(
        now=now,
        version=version,
        key=key,
        model=model,
        ledger=ledger,
        live=_live_keys(cluster, namespace, model_name),
        label_conflict=label_conflict(ledger, _declared(version, key)),
        environment=environment,
        environment_versions=tuple(_environment_versions(cluster, environment)),
        frozen=None,
        deployment=None,
        pods=(),
        tests=tuple(_tests(cluster, namespace, key, model)),
        children=children,
        peopled=frozenset(map(_workload, pods)),
    )
    return _with_frozen(cluster, facts, frozen) if frozen else facts


def _with_frozen(cluster: Cluster, facts: Facts, frozen: Frozen) -> Facts:
    """With what runs of this record."""
    namespace = facts.version.metadata.namespace
    pods = cluster.list(POD, namespace, {labels.SERVES: facts.key})
    return replace(
        facts,
        frozen=frozen,
        deployment=cluster.get(DEPLOYMENT, namespace, frozen.workload),
        pods=tuple(pod for pod in pods if _workload(pod) == frozen.workload),
    )


async def _with_lost_record(cluster: Cluster, facts: Facts) -> Facts:
    """With the record that lost our label, so that no watch tells of it: it is asked for by its name.

    What was frozen stays frozen; applying it brings the label back.
    """
    if facts.model is None or facts.frozen is not None:
        return facts
    namespace, uid = facts.version.metadata.namespace, facts.model.metadata.uid
    names = sorted(set(_workloads_known(facts)))
    found = [await cluster.read(CONTROLLER_REVISION, namespace, name) for name in names]
    frozen = kept([record for record in found if record and record["data"].get("key") == facts.key], uid)
    return _with_frozen(cluster, facts, frozen) if frozen else facts


def _workloads_known(facts: Facts) -> Iterator[str]:
    """Names of the workload that are told by something else than its record."""
    yield from (child["metadata"]["name"] for child in facts.children if child["kind"] == DEPLOYMENT.name)
    verdict = facts.fact.verdict if facts.fact else None
    if verdict and facts.role in (Role.CANDIDATE, Role.SERVING):
        yield child_name(facts.version.metadata.name, verdict.template_hash)


async def with_gate(cluster: Cluster, facts: Facts) -> Facts:
    """With the gate's tests and their contents, if it is time to make or keep them.

    They are read from the API server once: afterwards the tests exist, and the cache says so.
    """
    if facts.model is None or facts.frozen is None or facts.role is not Role.CANDIDATE or not facts.available:
        return facts
    if facts.may_promote:
        return facts
    known = {test.metadata.name: test.spec for test in facts.tests}
    if all(is_asked(known, facts.frozen, test) for test in tests_of(facts.model.spec)):
        return facts
    full = await cluster.read(CUSTOM_MODEL, facts.owner.namespace, facts.owner.name)
    return replace(facts, gate=tests_of(CustomModel.model_validate(full).spec)) if full else facts


async def _source(cluster: Cluster, facts: Facts) -> SourceFacts:
    """The code, read only when it has to be mounted anew."""
    starts = facts.model is not None and facts.role in (Role.CANDIDATE, Role.SERVING)
    if not starts or (facts.frozen and facts.code_exists):
        return SourceFacts()
    source, namespace = facts.version.spec.source, facts.version.metadata.namespace
    if source.config_map:
        return _from_config_map(
            await cluster.read(CONFIG_MAP, namespace, source.config_map.name), source.config_map.name, facts
        )
    meta = facts.version.metadata
    full = await cluster.read(CUSTOM_MODEL_VERSION, namespace, meta.name)
    is_same = full is not None and full["metadata"]["uid"] == meta.uid
    return _from_inline(full, facts) if full and is_same else SourceFacts()


def _from_inline(full: Manifest, facts: Facts) -> SourceFacts:
    inline = CustomModelVersion.model_validate(full).spec.source.inline or ()
    return _checked([CodeFile(f.path, f.content.encode(), f.executable) for f in inline], facts)


def _from_config_map(found: Manifest | None, name: str, facts: Facts) -> SourceFacts:
    if found is None:
        namespace = facts.version.metadata.namespace
        return SourceFacts(
            None,
            Reason.CONFIG_MAP_NOT_FOUND,
            f'ConfigMap "{name}" of spec.source does not exist in namespace "{namespace}"; create it',
        )
    text = {path: value.encode() for path, value in (found.get("data") or {}).items()}
    binary = {path: b64decode(value) for path, value in (found.get("binaryData") or {}).items()}
    return _checked([CodeFile(path, content) for path, content in (text | binary).items()], facts)


def _checked(files: list[CodeFile], facts: Facts) -> SourceFacts:
    environment = facts.chosen_environment
    scripted = any(file.path == START_SCRIPT for file in files)
    if environment and not environment.spec.start_command and not scripted:
        return SourceFacts(
            None,
            Reason.START_SCRIPT_MISSING,
            f"spec.source has no {START_SCRIPT} in its root, and ExecutionEnvironment "
            f'"{facts.version.spec.environment_ref.name}" has no startCommand; add one of the two in a new version',
        )
    size = sum(len(file.content) for file in files)
    if size > MAXIMUM_CODE:
        return SourceFacts(
            None,
            Reason.SOURCE_TOO_LARGE,
            f"spec.source holds {size} bytes; at most {MAXIMUM_CODE} can be mounted from a ConfigMap",
        )
    return SourceFacts(tuple(sorted(files, key=lambda file: file.path)))


def _ledger(manifest: Manifest | None, model: CustomModel | None) -> ModelLedgerSpec:
    """The facts of the model; none from the ledger of a former model of that name."""
    if manifest is None or (model and is_of_another(manifest, model.metadata.uid)):
        return ModelLedgerSpec(model_name="")
    return ModelLedgerSpec.of(manifest["spec"])


def _children(cluster: Cluster, namespace: str, key: str, model: CustomModel | None) -> Iterator[Manifest]:
    for kind in CHILDREN if model else ():
        for child in cluster.list(kind, namespace, {labels.OF_VERSION: key}):
            if model and is_owned_by(child, model.metadata.uid):
                yield child


def _tests(cluster: Cluster, namespace: str, key: str, model: CustomModel | None) -> Iterator[ModelTest]:
    for test in cluster.list(MODEL_TEST, namespace, {labels.OF_VERSION: key}):
        if model and is_owned_by(test, model.metadata.uid):
            yield ModelTest.of(test)


def _workload(pod: Manifest) -> str:
    return str(pod["metadata"]["labels"].get(labels.WORKLOAD, ""))


def _model(manifest: Manifest | None) -> CustomModel | None:
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    return CustomModel.of(manifest)


def _live_keys(cluster: Cluster, namespace: str, model: str) -> frozenset[str]:
    found = cluster.referring(CUSTOM_MODEL_VERSION, namespace, "modelRef.name", model)
    versions = (CustomModelVersion.of(m) for m in found if not m["metadata"].get("deletionTimestamp"))
    return frozenset(version_key(version.metadata.name, version.spec) for version in versions)


def _environment(manifest: Manifest | None) -> ExecutionEnvironment | None:
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    return ExecutionEnvironment.of(manifest)


def _environment_versions(
    cluster: Cluster, environment: ExecutionEnvironment | None
) -> Iterator[ExecutionEnvironmentVersion]:
    """Those of the environment as it is now; one of that name that was deleted may have left some."""
    if environment is None:
        return
    meta = environment.metadata
    of_environment = {labels.OF_ENVIRONMENT: meta.name}
    for found in cluster.list(EXECUTION_ENVIRONMENT_VERSION, meta.namespace, of_environment):
        if is_owned_by(found, meta.uid):
            yield ExecutionEnvironmentVersion.of(found)


def _declared(version: CustomModelVersion, key: str) -> Declared:
    meta, spec = version.metadata, version.spec
    return Declared(key, meta.name, spec.label, spec.is_major_update, meta.creation_timestamp)
