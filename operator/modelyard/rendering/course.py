"""The course of things on paper: passes until they have nothing more to do, and a Kubernetes where all goes well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from modelyard.api.kinds import (
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    JOB,
    MODEL_TEST,
    SERVICE,
)
from modelyard.images.errors import InvalidReference
from modelyard.images.reference import parse_reference
from modelyard.kube.cluster import Manifest
from modelyard.manifests.metadata import is_owned_by
from modelyard.reconcilers.custom_model.reconcile import reconcile as custom_model
from modelyard.reconcilers.custom_model_version.reconcile import reconcile as custom_model_version
from modelyard.reconcilers.execution_environment.reconcile import reconcile as execution_environment
from modelyard.reconcilers.execution_environment_version.facts import Malformed, Resolution, Resolved
from modelyard.reconcilers.execution_environment_version.reconcile import Reconciler
from modelyard.reconcilers.model_test.reconcile import reconcile as model_test
from modelyard.rendering.paper import Paper
from modelyard.rendering.placeholders import Unknowns
from modelyard.settings import Settings
from modelyard.status.conditions import timestamp

ROUNDS = 1000
"""More than any gate and all tests by hand of a file take, one round each."""


async def run(paper: Paper, settings: Settings, unknowns: Unknowns, now: datetime) -> None:
    """Until no pass writes anything: every pod comes up, every test succeeds, no time passes."""

    async def resolve(image: str, secrets: Sequence[Manifest]) -> Resolution:
        return _resolved(image, unknowns)

    passes = (
        (EXECUTION_ENVIRONMENT, execution_environment),
        (EXECUTION_ENVIRONMENT_VERSION, Reconciler(resolve)),
        (CUSTOM_MODEL, custom_model),
        (CUSTOM_MODEL_VERSION, custom_model_version),
        (MODEL_TEST, model_test),
    )
    for _ in range(ROUNDS):
        before = paper.changes
        for kind, reconcile in passes:
            for manifest in paper.of(kind):
                if not manifest.get("status", {}).get("completedAt"):
                    meta = manifest["metadata"]
                    await reconcile(paper, settings, meta["namespace"], meta["name"], now)
        _step(paper, unknowns, now)
        if paper.changes == before:
            return
    raise RuntimeError(f"the passes still write after {ROUNDS} rounds")


def _resolved(image: str, unknowns: Unknowns) -> Resolution:
    try:
        reference = parse_reference(image)
        digest = reference.digest or unknowns.digest(image)
        return Resolved(str(reference.with_digest(digest)), digest)
    except InvalidReference as error:
        return Malformed(str(error))


def _step(paper: Paper, unknowns: Unknowns, now: datetime) -> None:
    """Kubernetes' part: pods of Deployments, addresses and endpoints of Services, ends of Jobs."""
    for deployment in paper.of(DEPLOYMENT):
        _come_up(paper, unknowns, deployment)
    for service in paper.of(SERVICE):
        _take_calls(paper, unknowns, service)
    for job in paper.of(JOB):
        _succeed(paper, job, now)


def _come_up(paper: Paper, unknowns: Unknowns, deployment: Manifest) -> None:
    pods = unknowns.pods(deployment)
    for pod in pods:
        paper.put(pod)
    status = {"observedGeneration": 1, "updatedReplicas": len(pods), "readyReplicas": len(pods)}
    paper.put({**deployment, "status": status})


def _take_calls(paper: Paper, unknowns: Unknowns, service: Manifest) -> None:
    meta, selector = service["metadata"], service["spec"]["selector"]
    spec = {**service["spec"], "clusterIP": unknowns.address(meta["namespace"], meta["name"])}
    paper.put({**service, "spec": spec})
    metadata = {
        "name": f"{meta['name']}-endpoints",
        "namespace": meta["namespace"],
        "labels": {**meta.get("labels", {}), "kubernetes.io/service-name": meta["name"]},
    }
    targets = [
        {"conditions": {"ready": True}, "targetRef": {"uid": pod["metadata"]["uid"]}}
        for deployment in paper.of(DEPLOYMENT)
        for pod in unknowns.pods(deployment)
        if selector.items() <= pod["metadata"]["labels"].items()
    ]
    kind = {"apiVersion": ENDPOINT_SLICE.api_version, "kind": ENDPOINT_SLICE.name}
    paper.put({**kind, "metadata": metadata, "endpoints": targets})


def _succeed(paper: Paper, job: Manifest, now: datetime) -> None:
    """The test of a Job ends as soon as it has begun, with no word but that all is well."""
    for test in paper.of(MODEL_TEST):
        if is_owned_by(job, test["metadata"]["uid"]) and not test["status"].get("completedAt"):
            at = timestamp(now)
            ended = {"overallStatus": "succeeded", "startedAt": at, "completedAt": at}
            paper.put({**test, "status": {**test["status"], **ended}})
