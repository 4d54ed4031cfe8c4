"""Who may do what: ServiceAccount tokens and RBAC, and the audit log that tells of both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.cluster.provider import Provider
from tests.cluster.waiting import until
from tests.ground.world import World

# Prints the status of GET `path` with the pod's own token.
_ASK_API = """
import ssl, sys, urllib.error, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
token = open(f"{folder}/token").read()
trust = ssl.create_default_context(cafile=f"{folder}/ca.crt")
url = "https://kubernetes.default.svc" + sys.argv[1]
asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
try:
    print(urllib.request.urlopen(asked, context=trust, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.mark.parametrize("place", [0, 1], ids=["first node", "last node"])
def test_a_token_may_do_what_a_role_allows_and_nothing_else(
    kubectl: Kubectl, python_image: str, namespace: str, nodes: tuple[str, str], place: int
) -> None:
    world = World(kubectl, namespace, python_image)
    world.start(world.client("asker", nodes[place]))

    def status(path: str) -> str:
        return kubectl.exec("asker", namespace, "python3", "-", path, stdin=_ASK_API).strip()

    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert status("/version") == "200"
    assert status(pods) == "403"
    kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=pods", f"--namespace={namespace}")
    account = f"--serviceaccount={namespace}:default"
    kubectl.run("create", "rolebinding", "reader", "--role=reader", account, f"--namespace={namespace}")
    until("the role is known", lambda: status(pods) == "200", timeout=10)
    assert status("/api/v1/namespaces/kube-system/pods") == "403"
    assert status(f"/api/v1/namespaces/{namespace}/secrets") == "403"


def test_a_node_may_not_touch_another_node(kubectl: Kubectl, nodes: tuple[str, str]) -> None:
    own, other = nodes
    as_node = (f"--as=system:node:{own}", "--as-group=system:nodes", "--as-group=system:authenticated")
    kubectl.run("label", "node", own, "ground=own", "--overwrite", *as_node)
    with pytest.raises(KubectlFailed, match=f"node '{own}' cannot read '{other}'"):
        kubectl.run("label", "node", other, "ground=other", "--overwrite", *as_node)


def test_the_audit_log_tells_who_wrote_what(cluster: Provider, kubectl: Kubectl, namespace: str) -> None:
    log = cluster.audit_log
    assert log is not None
    kubectl.run("create", "configmap", "noted", f"--namespace={namespace}")

    def written() -> list[dict[str, Any]]:
        lines = [
            line for line in log.read_text().splitlines() if f'"{namespace}"' in line and '"noted"' in line
        ]
        return [event for event in map(json.loads, lines) if event["verb"] == "create"]

    event = until("the write is in the log", written, timeout=5)[0]
    assert event["user"]["username"] == "modelyard-admin"
    assert "requestObject" not in event  # who and what, never the contents
