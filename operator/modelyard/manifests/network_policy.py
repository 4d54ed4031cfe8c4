"""NetworkPolicies: what may reach a model, and where a model may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelyard.api import labels
from modelyard.api.custom_model import Caller
from modelyard.api.kinds import NETWORK_POLICY
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.pod_template import PORT
from modelyard.settings import Settings

EVERYWHERE = "0.0.0.0/0"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label with its own name that every namespace has."""


def version_policy(
    frozen: Frozen, owner: Owner, *, callers: Sequence[Caller], settings: Settings
) -> Manifest:
    """The policy on a version's pods: in from callers and its tests, out as the version asks."""
    child = Child(NETWORK_POLICY, frozen.workload, owner, frozen.child_labels)
    ingress = [_tests(frozen.key), *_peers(callers, settings)]
    return _around(child, ingress, _egress(frozen.egress, settings))


def copy_policy(child: Child, *, egress: str, settings: Settings) -> Manifest:
    """The policy on the pods of a test's own Deployment, which has its name: in from that test alone."""
    return _around(child, [_tests(child.name)], _egress(egress, settings))


def test_policy(name: str, owner: Owner, *, workload: str, child_labels: dict[str, str]) -> Manifest:
    """The policy on a test's pods: out to the tested pods alone, nothing in."""
    child = Child(NETWORK_POLICY, name, owner, child_labels)
    tested = {"podSelector": {"matchLabels": {labels.WORKLOAD: workload}}}
    return child.manifest(
        spec={
            "podSelector": {"matchLabels": {labels.WORKLOAD: name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [{"to": [tested], "ports": [_tcp(PORT)]}],
        }
    )


def _around(child: Child, ingress: list[dict[str, Any]], egress: list[dict[str, Any]]) -> Manifest:
    """The policy on the pods of the Deployment of the same name."""
    return child.manifest(
        spec={
            "podSelector": {"matchLabels": {labels.WORKLOAD: child.name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": ingress, "ports": [_tcp(PORT)]}],
            "egress": egress,
        }
    )


def _tests(tested: str) -> dict[str, Any]:
    """The runners of the tests of one version, or of one copy."""
    return {"podSelector": {"matchLabels": {labels.TESTS: tested}}}


def _peers(callers: Sequence[Caller], settings: Settings) -> list[dict[str, Any]]:
    """Who may call; unless the model says otherwise, every pod of its namespace, and the gateway.

    Whoever names callers means these alone: the gateway would bring others.
    """
    if not callers:
        return [{"podSelector": {}}, *_gateway(settings)]
    return [caller.model_dump(by_alias=True, exclude_unset=True) for caller in callers]


def _gateway(settings: Settings) -> list[dict[str, Any]]:
    if not settings.gateway_namespace:
        return []
    namespace = {"matchLabels": {NAMESPACE_NAME: settings.gateway_namespace}}
    pods = {"matchLabels": {labels.GATEWAY: labels.GATEWAY_VALUE}}
    return [{"namespaceSelector": namespace, "podSelector": pods}]


def _egress(policy: str, settings: Settings) -> list[dict[str, Any]]:
    return [_dns(settings), _internet(settings)] if policy == "PUBLIC" else []


def _dns(settings: Settings) -> dict[str, Any]:
    peer = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: settings.dns_namespace}},
        "podSelector": {"matchLabels": dict(settings.dns_pod_labels)},
    }
    ports = [{"protocol": protocol, "port": settings.dns_port} for protocol in ("UDP", "TCP")]
    return {"to": [peer], "ports": ports}


def _internet(settings: Settings) -> dict[str, Any]:
    """All of IPv4 but private, link-local, CGNAT and metadata addresses and the cluster's own ranges."""
    closed = sorted(c for c in {*settings.private_cidrs, *settings.cluster_cidrs} if ":" not in c)
    return {"to": [{"ipBlock": {"cidr": EVERYWHERE, "except": closed}}]}


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}
