"""Evictions keep to a disruption budget: the one that the operator gives to a version with replicas.

`maxUnavailable: 1` holds back whoever drains a node while a pod is missing; `AlwaysAllow` means that a pod which is
not ready never holds back anybody.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.cluster.provider import Provider
from tests.cluster.waiting import until

BUDGET = Path(__file__).parents[1] / "golden" / "manifests" / "disruption-budget.yaml"
"""The operator's, as it renders it."""

APP = {"app": "guarded"}
WAITS_TO_BE_TOLD = "import time; time.sleep(86400)"
IS_READY_SOON = "import time; time.sleep(2); open('/tmp/ready', 'w'); time.sleep(86400)"


def guarded(namespace: str, image: str, program: str, node: str = "") -> list[Manifest]:
    """A Deployment of two pods that are ready when /tmp/ready is there, on `node` while they can; and our budget."""
    container = {
        "name": "main",
        "image": image,
        "command": ["python3", "-c", program],
        "readinessProbe": {"exec": {"command": ["test", "-f", "/tmp/ready"]}, "periodSeconds": 1},
    }
    spec: dict[str, Any] = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    if node:
        there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        wish = {"weight": 100, "preference": {"matchExpressions": [there]}}
        spec["affinity"] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    template = {"metadata": {"labels": APP}, "spec": spec}
    selector = {"matchLabels": APP}
    metadata = {"name": "guarded", "namespace": namespace}
    budget = yaml.safe_load(BUDGET.read_text("utf-8"))
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 2, "selector": selector, "template": template},
        },
        {**budget, "metadata": metadata, "spec": {**budget["spec"], "selector": selector}},
    ]


def pods(kubectl: Kubectl, namespace: str) -> dict[str, Manifest]:
    """The guarded pods that are not on their way out, by name."""
    found = kubectl.list("pods", namespace, "app=guarded")
    return {pod["metadata"]["name"]: pod for pod in found if not pod["metadata"].get("deletionTimestamp")}


def running(kubectl: Kubectl, namespace: str, *but: str) -> list[str]:
    """Names of the two guarded pods that run, as soon as none of them is one of `but`."""

    def found() -> list[str]:
        alive = pods(kubectl, namespace)
        run = [name for name, pod in alive.items() if pod["status"]["phase"] == "Running"]
        return sorted(run) if len(run) == 2 and not set(run) & set(but) else []

    return until("two pods run", found, every=0.3)


def other_than(name: str, names: list[str]) -> str:
    """The other one of two."""
    (other,) = set(names) - {name}
    return other


def await_allowed(kubectl: Kubectl, namespace: str, count: int) -> None:
    """Until the budget allows so many evictions."""
    wanted = f"jsonpath={{.status.disruptionsAllowed}}={count}"
    kubectl.wait(wanted, "poddisruptionbudget/guarded", namespace=namespace, timeout=30)


def get_ready(kubectl: Kubectl, namespace: str, *names: str) -> None:
    for name in names:
        kubectl.exec(name, namespace, "touch", "/tmp/ready")


def test_the_budget_of_a_version_is_what_is_tried_here() -> None:
    spec = yaml.safe_load(BUDGET.read_text("utf-8"))["spec"]

    assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_a_second_eviction_is_refused_until_the_first_pod_is_replaced(
    kubectl: Kubectl, python_image: str, namespace: str
) -> None:
    kubectl.apply(*guarded(namespace, python_image, WAITS_TO_BE_TOLD))
    first, second = running(kubectl, namespace)
    get_ready(kubectl, namespace, first, second)
    await_allowed(kubectl, namespace, 1)

    kubectl.evict(first, namespace)
    replacement = other_than(second, running(kubectl, namespace, first))
    with pytest.raises(KubectlFailed, match=r"TooManyRequests.*would violate the pod's disruption budget"):
        kubectl.evict(second, namespace)

    kubectl.evict(replacement, namespace)  # not ready: nobody would miss it
    replacement = other_than(second, running(kubectl, namespace, first, replacement))
    with pytest.raises(KubectlFailed, match="TooManyRequests"):
        kubectl.evict(second, namespace)

    get_ready(kubectl, namespace, replacement)
    await_allowed(kubectl, namespace, 1)
    kubectl.evict(second, namespace)
    assert second not in pods(kubectl, namespace)


def evictions(log: Path, namespace: str) -> list[int]:
    """What the API server answered to each eviction in a namespace, the first one first."""
    lines = [
        line for line in log.read_text().splitlines() if f'"{namespace}"' in line and '"eviction"' in line
    ]
    asked = [event for event in map(json.loads, lines) if event["objectRef"].get("subresource") == "eviction"]
    return [event["responseStatus"]["code"] for event in asked]


def test_a_drain_waits_for_each_pod_to_be_replaced(
    cluster: Provider, kubectl: Kubectl, python_image: str, namespace: str, nodes: tuple[str, str]
) -> None:
    left = nodes[1]
    kubectl.apply(*guarded(namespace, python_image, IS_READY_SOON, node=left))
    before = running(kubectl, namespace)
    await_allowed(kubectl, namespace, 1)
    assert {pods(kubectl, namespace)[name]["spec"]["nodeName"] for name in before} == {left}

    try:
        kubectl.run("drain", left, "--pod-selector=app=guarded", "--ignore-daemonsets", "--timeout=60s")
        after = running(kubectl, namespace, *before)
        assert left not in {pods(kubectl, namespace)[name]["spec"]["nodeName"] for name in after}
    finally:
        kubectl.run("uncordon", left)

    assert cluster.audit_log is not None
    answered = evictions(cluster.audit_log, namespace)
    assert (answered.count(201), set(answered)) == (2, {201, 429})
    assert answered[-1] == 201
