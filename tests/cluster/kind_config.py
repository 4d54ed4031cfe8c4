"""What kind, its nodes and kubectl are told and tell, of the cluster `modelyard` and its registry. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.cluster.provider import ClusterUnavailable

CLUSTER = "modelyard"
REGISTRY = "modelyard-registry"
REGISTRY_PORT = 5000
HOSTS = f"/etc/containerd/certs.d/{REGISTRY}:{REGISTRY_PORT}"
"""Where containerd of a node looks up how to speak to the registry."""

WORKERS = 2
MAX_WORKERS = 9


def worker_count(text: str) -> int:
    """How many nodes run pods, as NODES has it; ClusterUnavailable for what is no such number."""
    stripped = text.strip()
    if not stripped:
        return WORKERS
    if not (stripped.isascii() and stripped.isdecimal() and 1 <= int(stripped) <= MAX_WORKERS):
        raise ClusterUnavailable(
            f"NODES={text} is no number of nodes: set it to 1 to {MAX_WORKERS}, or unset it for {WORKERS}."
        )
    return int(stripped)


def config(workers: int) -> str:
    """The cluster's configuration as kind reads it: one control plane, and nodes that run pods.

    Where containerd looks for registries (`HOSTS`) needs no word: all node images of Kubernetes >= 1.33 look there.
    """
    wanted = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane"}, *({"role": "worker"} for _ in range(workers))],
    }
    return json.dumps(wanted)


def hosts_file() -> str:
    """What tells containerd that the registry speaks plain HTTP."""
    return f'[host."http://{REGISTRY}:{REGISTRY_PORT}"]\n'


def not_ready(nodes: Iterable[str], listed: str) -> list[str]:
    """Those of `nodes` that are not Ready, or not there, in what `kubectl get nodes --output=json` prints."""
    ready = {
        node["metadata"]["name"]
        for node in json.loads(listed)["items"]
        for condition in node["status"].get("conditions", ())
        if (condition["type"], condition["status"]) == ("Ready", "True")
    }
    return [node for node in nodes if node not in ready]
