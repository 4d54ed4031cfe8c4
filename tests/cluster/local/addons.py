"""What every cluster holds from its first minute: the policy engine's rights, and DNS."""

from __future__ import annotations

from typing import Any

from tests.cluster.local.layout import COREDNS_IMAGE, DNS_SERVICE, DOMAIN, INTERNET_ADDRESS, INTERNET_NAME

DNS_NAMESPACE = "kube-system"
DNS_NAME = "coredns"
_DNS_LABELS = {"k8s-app": "kube-dns"}

# `ttl 5` on one line with its braces would parse, and answer SERVFAIL. The last block says at once that a name
# outside the cluster does not exist: there is no other resolver to ask. Blocks of their own, because within one
# block CoreDNS asks its plugins in an order of its own, and `template` would answer for all.
_COREFILE = f"""\
{DOMAIN}:53 in-addr.arpa:53 {{
    errors
    health :8080
    ready :8181
    kubernetes {DOMAIN} in-addr.arpa {{
        ttl 5
    }}
}}
{INTERNET_NAME}:53 {{
    errors
    hosts {{
        {INTERNET_ADDRESS} {INTERNET_NAME}
    }}
}}
.:53 {{
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def manifests() -> dict[str, Any]:
    """All of it as one List."""
    items = [*_router_rights(), *_dns_rights(), _dns_config(), _dns_service(), _dns_deployment()]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _router_rights() -> list[dict[str, Any]]:
    core = ["pods", "namespaces", "nodes", "services", "endpoints"]
    rules = [
        _rule("", core, ["get", "list", "watch"]),
        _rule("networking.k8s.io", ["networkpolicies"], ["get", "list", "watch"]),
        _rule("discovery.k8s.io", ["endpointslices"], ["get", "list", "watch"]),
    ]
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "modelyard:kube-router"}
    return _granted("modelyard:kube-router", rules, user)


def _dns_rights() -> list[dict[str, Any]]:
    rules = [
        _rule("", ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
        _rule("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
    ]
    account = {"kind": "ServiceAccount", "name": DNS_NAME, "namespace": DNS_NAMESPACE}
    return [*_granted("modelyard:coredns", rules, account), _object("v1", "ServiceAccount")]


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _granted(name: str, rules: list[dict[str, Any]], subject: dict[str, str]) -> list[dict[str, Any]]:
    version = "rbac.authorization.k8s.io/v1"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    return [
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": version,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def _object(version: str, kind: str, name: str = DNS_NAME, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": DNS_NAMESPACE, "labels": _DNS_LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _dns_config() -> dict[str, Any]:
    return _object("v1", "ConfigMap", data={"Corefile": _COREFILE})


def _dns_service() -> dict[str, Any]:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    return _object(
        "v1", "Service", "kube-dns", spec={"clusterIP": DNS_SERVICE, "selector": _DNS_LABELS, "ports": ports}
    )


def _dns_deployment() -> dict[str, Any]:
    container = {
        "name": DNS_NAME,
        "image": COREDNS_IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
    }
    pod = {
        "serviceAccountName": DNS_NAME,
        "dnsPolicy": "Default",
        "nodeSelector": {"modelyard.test/node": "n1"},  # the node that tests never stop
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": DNS_NAME}}],
    }
    template = {"metadata": {"labels": _DNS_LABELS}, "spec": pod}
    return _object(
        "apps/v1", "Deployment", spec={"selector": {"matchLabels": _DNS_LABELS}, "template": template}
    )
