"""What Kubernetes does around the operator, as far as a pass can notice: Deployments, pods, endpoints, Jobs.

It works on the same store, by its own name, one step at a time. How a version's pods behave is told by the
version's name; everything else runs and is ready at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from modelyard.api import labels
from modelyard.api.check_plan import CheckSummary
from modelyard.api.kinds import CONFIG_MAP, CONTROLLER_REVISION, DEPLOYMENT, ENDPOINT_SLICE, JOB, POD, SERVICE
from modelyard.checks.columns import with_columns
from modelyard.checks.data import DataError, DataSet
from modelyard.checks.data_files import parse_data_set
from modelyard.status.conditions import timestamp
from tests.support.runner_log import with_log
from tests.support.world_api import Address, WorldApi, addresses

Manifest = dict[str, Any]
Behaviour = Literal["ready", "starting", "crashes", "silent", "unpullable", "unschedulable"]

ACTOR = "kubernetes"


@dataclass
class Platform:
    """Controllers and kubelets in one. `behaviour` and `failing` are by version name; the copies of a version that
    tests by hand run on behave by the name of their test."""

    api: WorldApi
    behaviour: dict[str, Behaviour] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    """Versions whose tests fail, and with which message."""

    warning: dict[str, str] = field(default_factory=dict)
    """Versions whose tests only warn of a side effect, and with which message."""

    failing_tests: dict[str, str] = field(default_factory=dict)
    """Tests of the gate, by name, that every version fails, and with which message."""

    holds_jobs: bool = False
    """Whether Jobs run on and on, for stories in which something happens during a test."""

    evictions: int = 0
    """How many pods of Jobs are evicted before they can report."""

    _versions: dict[str, str] = field(default_factory=dict)
    """Versions by workload, and below by model and label: also those whose record was deleted."""

    _labels: dict[tuple[str, str], str] = field(default_factory=dict)

    _said: dict[Address, tuple[Manifest, Manifest]] = field(default_factory=dict)
    """Of each object the status that was last asked for, and what the API server made of it."""

    crash_before_verdict: set[str] = field(default_factory=set)
    """Versions whose pods answer a Job and crash before it has reported."""

    def step(self, now: datetime) -> bool:
        """Bring everything one step closer to what is asked; whether anything changed."""
        before, actor = len(self.api.writes), self.api.actor
        self.api.actor = ACTOR
        try:
            for _, namespace, name in list(addresses(self.api, "Deployment")):
                self._deployment(namespace, name, now)
            for _, namespace, name in list(addresses(self.api, "Service")):
                self._endpoints(namespace, name)
            for _, namespace, name in list(addresses(self.api, "Job")):
                self._job(namespace, name, now)
        finally:
            self.api.actor = actor
        return len(self.api.writes) > before

    def _deployment(self, namespace: str, name: str, now: datetime) -> None:
        deployment = self.api.peek(DEPLOYMENT, namespace, name)
        wanted, pods = deployment["spec"]["replicas"], self._pods(namespace, name)
        for pod in pods[wanted:]:
            self.api.delete(POD, namespace, pod["metadata"]["name"])
        for number in range(len(pods), wanted):
            self._pod(deployment, number)
        pods = self._pods(namespace, name)
        behaviour = self.behaviour.get(self._version(namespace, name), "ready")
        for pod in pods:
            self._set(POD, namespace, pod["metadata"]["name"], pod_status(behaviour, pod, now))
        ready = len(pods) if behaviour == "ready" else 0
        self._set(DEPLOYMENT, namespace, name, deployment_status(deployment, len(pods), ready, now))

    def _pods(self, namespace: str, workload: str) -> list[Manifest]:
        found = [self.api.peek(*address) for address in addresses(self.api, "Pod") if address[1] == namespace]
        return [pod for pod in found if pod["metadata"]["labels"].get(labels.WORKLOAD) == workload]

    def _pod(self, deployment: Manifest, number: int) -> None:
        meta, template = deployment["metadata"], deployment["spec"]["template"]
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"], "uid": meta["uid"]}
        taken = {address[2] for address in addresses(self.api, "Pod")}
        name = next(n for n in (f"{meta['name']}-{i}" for i in range(number, 99)) if n not in taken)
        metadata = {
            "name": name,
            "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"],
            "ownerReferences": [owner],
        }
        self.api.create(
            POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        )

    def _version(self, namespace: str, workload: str) -> str:
        """Whose behaviour the pods of a Deployment have: their version's, or their test's if it has its own."""
        found = self.api.peek(DEPLOYMENT, namespace, workload)["metadata"]["labels"]
        if labels.OF_TEST in found:
            return str(found[labels.OF_TEST])
        record = self.api.objects.get((CONTROLLER_REVISION, namespace, workload))
        if record:
            self._versions[workload] = record["data"]["version"]
        return self._versions.get(workload, "")

    def _endpoints(self, namespace: str, name: str) -> None:
        service = self.api.peek(SERVICE, namespace, name)
        selector = service["spec"]["selector"]
        pods = [self.api.peek(*a) for a in addresses(self.api, "Pod") if a[1] == namespace]
        chosen = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
        endpoints = [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": _is_ready(pod)},
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
            }
            for pod in chosen
            if pod.get("status", {}).get("podIP")
        ]
        self._slice(service, endpoints)

    def _slice(self, service: Manifest, endpoints: list[Manifest]) -> None:
        meta = service["metadata"]
        address = (ENDPOINT_SLICE, meta["namespace"], f"{meta['name']}-slice")
        if address in self.api.objects:
            if (self.api.peek(*address).get("endpoints") or []) != endpoints:
                self.api.change(*address, endpoints=endpoints)
            return
        owner = {"apiVersion": "v1", "kind": "Service", "name": meta["name"], "uid": meta["uid"]}
        found = {**meta.get("labels", {}), "kubernetes.io/service-name": meta["name"]}
        metadata = {"name": address[2], "namespace": address[1], "labels": found, "ownerReferences": [owner]}
        body = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata,
            "addressType": "IPv4",
        }
        self.api.create(ENDPOINT_SLICE, {**body, "endpoints": endpoints})

    def _job(self, namespace: str, name: str, now: datetime) -> None:
        job = self.api.peek(JOB, namespace, name)
        if self.holds_jobs or self._pods(namespace, name) or not self._is_mountable(namespace, job):
            return
        if self.crash_before_verdict:
            self.behaviour[self.crash_before_verdict.pop()] = "crashes"
            return
        summary, log = with_log(self._run(namespace, job))
        broken = "unusableData" in summary
        self._pod(job, 0)
        pod = self._pods(namespace, name)[0]
        if self.evictions:
            self.evictions -= 1
            status = {
                "phase": "Failed",
                "reason": "Evicted",
                "message": "The node was low on resource: memory.",
            }
            self._set(POD, namespace, pod["metadata"]["name"], status)
            return
        self.api.logs[namespace, pod["metadata"]["name"], "check"] = log
        ended = {
            **({"exitCode": 2, "reason": "Error"} if broken else {"exitCode": 0, "reason": "Completed"}),
            "message": json.dumps(summary),
            "finishedAt": timestamp(now),
        }
        done: Manifest = {
            "phase": "Failed" if broken else "Succeeded",
            "containerStatuses": [{"name": "check", "state": {"terminated": ended}}],
        }
        self._set(POD, namespace, pod["metadata"]["name"], done)
        self._set(JOB, namespace, name, failed(now) if broken else completed(now))

    def _is_mountable(self, namespace: str, job: Manifest) -> bool:
        """Whether what the pod mounts is there; otherwise it never starts."""
        return (CONFIG_MAP, namespace, _mounted(job)) in self.api.objects

    def _run(self, namespace: str, job: Manifest) -> Manifest:
        """What the runner would say, from its mounted plan and data, and the version's behaviour."""
        files = self.api.peek(CONFIG_MAP, namespace, _mounted(job))["data"]
        plan = json.loads(files["plan.json"])
        try:
            data = _data(plan, files)
        except DataError as error:
            problem = f"data set {plan['dataset']}: {error}"
            return _unusable(problem, "aborted" if plan["dataCanChange"] else "failed")
        version = self._version_of_label(namespace, plan["model"], plan["version"])
        test = plan["test"].partition("/")[2].removeprefix(f"{version}-").rpartition("-")[0]
        failure = self.failing.get(version) or self.failing_tests.get(test)
        return _telling(data, _warned(summary_of(plan, failure), self.warning.get(version)))

    def _version_of_label(self, namespace: str, model: str, label: str) -> str:
        revisions = [
            self.api.peek(*a) for a in addresses(self.api, "ControllerRevision") if a[1] == namespace
        ]
        for record in (revision["data"] for revision in revisions):
            self._labels[record["model"], record["label"]] = record["version"]
        return self._labels.get((model, label), "")

    def _set(self, kind: Any, namespace: str, name: str, status: Manifest) -> None:
        """Say it unless it was said and still stands, as the API server spells it."""
        address = (kind, namespace, name)
        live = self.api.peek(*address).get("status")
        if status != live and self._said.get(address) != (status, live):
            self._said[address] = (status, self.api.set_status(*address, status)["status"])


def completed(now: datetime) -> Manifest:
    """The status of a Job whose only pod succeeded."""
    ended = {"startTime": timestamp(now), "completionTime": timestamp(now), "succeeded": 1}
    return {**ended, "conditions": _conditions(now, "SuccessCriteriaMet", "Complete")}


def failed(now: datetime) -> Manifest:
    """The status of a Job that gave up."""
    ended = {"startTime": timestamp(now), "failed": 1}
    return {**ended, "conditions": _conditions(now, "FailureTarget", "Failed")}


def _conditions(now: datetime, *types: str) -> list[Manifest]:
    return [{"type": type, "status": "True", "lastTransitionTime": timestamp(now)} for type in types]


def _mounted(job: Manifest) -> str:
    return str(job["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"])


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def pod_status(behaviour: Behaviour, pod: Manifest, now: datetime) -> Manifest:
    """What a kubelet says of a pod of a model that behaves so."""
    number = int(pod["metadata"]["uid"][-12:], 16)
    ready = behaviour == "ready"
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if behaviour == "unschedulable":
        message = "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules."
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        return {"phase": "Pending", "conditions": [*conditions, scheduled]}
    return {
        "phase": "Running" if behaviour != "unpullable" else "Pending",
        "podIP": f"10.244.1.{number % 250}",
        "conditions": conditions,
        "containerStatuses": [{"name": "model", "ready": ready, **_container(behaviour, _begun(pod, now))}],
    }


def _begun(pod: Manifest, now: datetime) -> str:
    """When the container of a pod began to run, if it does: now, unless it did before."""
    known = pod.get("status", {}).get("containerStatuses", [{}])[0]
    states = known.get("state", {}).get("running"), known.get("lastState", {}).get("terminated")
    return next((str(state["startedAt"]) for state in states if state), timestamp(now))


def _container(behaviour: Behaviour, begun: str) -> Manifest:
    if behaviour == "crashes":
        last = {
            "exitCode": 1,
            "reason": "Error",
            "message": "ImportError: no module named model",
            "startedAt": begun,
            "finishedAt": begun,
        }
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}
        return {"restartCount": 3, "state": {"waiting": waiting}, "lastState": {"terminated": last}}
    if behaviour == "unpullable":
        waiting = {"reason": "ImagePullBackOff", "message": "manifest unknown"}
        return {"restartCount": 0, "image": "nowhere/none:1", "state": {"waiting": waiting}}
    return {"restartCount": 0, "state": {"running": {"startedAt": begun}}}


def deployment_status(deployment: Manifest, pods: int, ready: int, now: datetime) -> Manifest:
    """The API server leaves out counts of zero."""
    wanted = deployment["spec"]["replicas"]
    created = datetime.fromisoformat(deployment["metadata"]["creationTimestamp"])
    late = (now - created).total_seconds() > deployment["spec"]["progressDeadlineSeconds"]
    reason = "ProgressDeadlineExceeded" if late and ready < wanted else "NewReplicaSetAvailable"
    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": pods,
        "updatedReplicas": pods,
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    progressing = {
        "type": "Progressing",
        "status": "False" if "Exceeded" in reason else "True",
        "reason": reason,
    }
    return {**{name: count for name, count in counts.items() if count}, "conditions": [progressing]}


def summary_of(plan: Manifest, failure: str | None) -> Manifest:
    """What the runner says in the end, after this failure or none."""
    skip = plan["configuration"]["errorCheck"] == "skip"
    error_check = (
        {"status": "skipped", "message": ""}
        if skip
        else {"status": "failed" if failure else "succeeded", "message": failure or "2 rows"}
    )
    failed_start = bool(failure and skip)
    service = {
        "status": "failed" if failed_start else "succeeded",
        "message": failure if failed_start else "all up",
    }
    return {
        "v": 1,
        "overallStatus": "failed" if failure else "succeeded",
        "checks": {"longRunningService": service, "errorCheck": error_check},
        "counts": {"rows": 0 if skip else 2, "requests": 3},
        "durationSeconds": 1.5,
    }


def _data(plan: Manifest, files: Mapping[str, str]) -> DataSet | None:
    """The data, if there is some; DataError as the runner has it."""
    name = plan["dataset"]
    return parse_data_set(files[name].encode(), plan["datasetFormat"], name) if name else None


def _telling(data: DataSet | None, summary: Manifest) -> Manifest:
    """The summary with the columns, where the runner tells them."""
    columns = with_columns(CheckSummary.model_validate(summary), data).columns
    return {**summary, "columns": columns} if columns else summary


def _unusable(problem: str, word: str) -> Manifest:
    return {
        "v": 1,
        "overallStatus": word,
        "checks": {
            "longRunningService": {"status": "aborted", "message": "Not run"},
            "errorCheck": {"status": word, "message": problem[:1].upper() + problem[1:]},
        },
        "error": problem,
        "unusableData": True,
    }


def _warned(summary: Manifest, warning: str | None) -> Manifest:
    if warning is None:
        return summary
    checks = {**summary["checks"], "sideEffects": {"status": "warning", "message": warning}}
    return {**summary, "overallStatus": "warning", "checks": checks}
