"""An operator that may see some namespaces only: it starts, and asks for nothing outside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from scripts.install import CHART, Clients, values
from tests.cluster.fixtures import needs, new_namespace
from tests.cluster.kubectl import Kubectl
from tests.cluster.provider import Capability, Provider
from tests.e2e.audit import forbidden, requests

RELEASE = "narrow"


@pytest.fixture(scope="module")
def home(cluster: Provider, kubectl: Kubectl, operator: str) -> Iterator[str]:
    """The namespace of a second operator, which watches two empty namespaces."""
    with (
        new_namespace(kubectl, "narrow") as home,
        new_namespace(kubectl, "blue") as blue,
        new_namespace(kubectl, "green") as green,
    ):
        chosen = {
            **values(operator, cluster),
            "namespaces": [blue, green],
            "crds": {"enabled": False},
            "rbac": {"create": True, "aggregate": False},
        }
        settings = [f"--set-json={name}={json.dumps(value)}" for name, value in chosen.items()]
        clients = Clients(kubectl.kubeconfig, home)
        clients.helm("install", RELEASE, str(CHART), *settings)
        try:
            yield home
        finally:
            clients.helm("uninstall", RELEASE, "--wait")


def test_an_operator_with_a_list_of_namespaces_starts_and_stays_within_them(
    cluster: Provider, kubectl: Kubectl, home: str
) -> None:
    kubectl.run("rollout", "status", f"deployment/{RELEASE}", f"--namespace={home}", "--timeout=60s")

    needs(cluster, Capability.AUDIT_LOG)
    assert cluster.audit_log is not None
    user = f"system:serviceaccount:{home}:{RELEASE}"
    asked = {
        event["objectRef"].get("namespace")
        for event in requests(cluster.audit_log, user)
        if event.get("objectRef", {}).get("apiGroup") == "modelyard.dev"
    }
    assert len(asked) == 2
    assert None not in asked
    assert forbidden(cluster.audit_log, user) == []
