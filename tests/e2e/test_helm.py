"""`helm test` tells an operator that is well from one that is not, and leaves a pod only where its log is of use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.install import NAMESPACE, RELEASE, SELECTOR, Clients, CommandFailed
from tests.cluster.kubectl import Kubectl
from tests.cluster.provider import Provider
from tests.cluster.waiting import until

HEALTH = f"{RELEASE}-health"


@pytest.fixture(scope="module")
def clients(cluster: Provider, operator: str) -> Clients:
    """helm, where the operator is installed."""
    return Clients(cluster.kubeconfig())


@pytest.fixture
def stopped(clients: Clients, kubectl: Kubectl) -> Iterator[None]:
    """There is no operator while this lasts."""
    clients.kubectl("scale", f"deployment/{RELEASE}", "--replicas=0")
    until("the operator is gone", lambda: not kubectl.list("pods", NAMESPACE, SELECTOR), every=0.5)
    yield
    clients.kubectl("scale", f"deployment/{RELEASE}", "--replicas=1")
    clients.kubectl("rollout", "status", f"deployment/{RELEASE}", "--timeout=90s")


def asked(clients: Clients) -> str:
    """What `helm test` prints. Raises CommandFailed when the test fails."""
    return clients.helm("test", RELEASE, "--timeout=100s")


def pods(kubectl: Kubectl) -> list[str]:
    """The pods of helm's test that are there."""
    found = kubectl.list("pods", NAMESPACE, f"app.kubernetes.io/name={HEALTH}")
    return [pod["metadata"]["name"] for pod in found]


def test_an_operator_that_is_well_passes_and_nothing_stays(clients: Clients, kubectl: Kubectl) -> None:
    said = asked(clients)

    assert f"TEST SUITE:     {HEALTH}" in said
    assert "Phase:          Succeeded" in said
    until("the pod is gone", lambda: not pods(kubectl), timeout=30, every=0.5)


def test_an_operator_that_is_down_fails_and_the_log_says_so(
    clients: Clients, kubectl: Kubectl, stopped: None
) -> None:
    with pytest.raises(CommandFailed, match=f"{HEALTH} failed"):
        asked(clients)

    assert pods(kubectl) == [HEALTH]
    log = clients.kubectl("logs", HEALTH)
    for path in ("healthz", "readyz", "metrics"):
        assert f"http://{RELEASE}-metrics.{NAMESPACE}.svc:8080/{path} does not answer" in log
    assert "CRDs" not in log  # the cluster itself is well


def test_the_next_test_replaces_the_pod_that_failed(clients: Clients, kubectl: Kubectl) -> None:
    assert "Phase:          Succeeded" in asked(clients)

    until("the pod is gone", lambda: not pods(kubectl), timeout=30, every=0.5)
