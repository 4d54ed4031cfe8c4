"""Who may do what: ServiceAccount tokens and RBAC, Pod Security by label, and the audit log that tells of both."""

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


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_a_token_may_do_what_a_role_allows_and_nothing_else(
    kubectl: Kubectl, python_image: str, namespace: str, node: str
) -> None:
    world = World(kubectl, namespace, python_image)
    world.start(world.client("asker", node))

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


def test_a_restricted_namespace_refuses_a_pod_that_an_unlabelled_one_takes(
    kubectl: Kubectl, python_image: str, namespace: str
) -> None:
    world = World(kubectl, namespace, python_image)
    kubectl.apply(world.client("free", "n1"))
    kubectl.run("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    with pytest.raises(KubectlFailed, match=r'violates PodSecurity "restricted:latest"'):
        kubectl.apply(world.client("refused", "n1"))


def test_a_node_may_not_touch_another_node(kubectl: Kubectl) -> None:
    as_node = ("--as=system:node:n1", "--as-group=system:nodes", "--as-group=system:authenticated")
    kubectl.run("label", "node", "n1", "ground=own", "--overwrite", *as_node)
    with pytest.raises(KubectlFailed, match=r"node 'n1' cannot read 'n2'"):
        kubectl.run("label", "node", "n2", "ground=other", "--overwrite", *as_node)


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
