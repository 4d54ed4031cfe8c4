"""etcd, the API server, the controllers and the scheduler: on the machine itself, on the bridge's address."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.local import pki, processes
from tests.cluster.local.layout import (
    API_PORT,
    CONTROLLER_PORT,
    ETCD_PORTS,
    MACHINE,
    SCHEDULER_PORT,
    SERVICES,
    STATE,
)

AUDIT_LOG = STATE / "audit.log"
ROLES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "None",
            "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/api*"],
        },
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "Metadata"},
    ],
}


def start_etcd() -> None:
    """Nobody but this machine's own processes reaches it: it listens on the loopback."""
    client, peer = (f"http://127.0.0.1:{port}" for port in ETCD_PORTS)
    processes.start(
        "etcd",
        [
            "etcd",
            f"--data-dir={STATE / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # nothing of the cluster is to outlive this machine's memory
        ],
    )


def start_api_server() -> None:
    """Node and RBAC authorization, Pod Security by namespace label, an audit log of every request's metadata."""
    policy = STATE / "audit-policy.json"
    policy.write_text(json.dumps(_AUDIT_POLICY, indent=1))
    processes.start(
        "kube-apiserver",
        [
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{ETCD_PORTS[0]}",
            f"--bind-address={MACHINE}",
            f"--advertise-address={MACHINE}",
            f"--secure-port={API_PORT}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction,PodSecurity",
            "--allow-privileged=true",
            f"--client-ca-file={pki.CA}",
            f"--tls-cert-file={_pki('apiserver.crt')}",
            f"--tls-private-key-file={_pki('apiserver.key')}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.SERVICE_ACCOUNT_PUBLIC}",
            f"--service-account-signing-key-file={pki.SERVICE_ACCOUNT_KEY}",
            f"--kubelet-certificate-authority={pki.CA}",
            f"--kubelet-client-certificate={_pki('apiserver-kubelet.crt')}",
            f"--kubelet-client-key={_pki('apiserver-kubelet.key')}",
            # Logs and exec ask the node by address: its name means nothing to the machine's resolver.
            "--kubelet-preferred-address-types=InternalIP",
            # Webhooks are called at pod addresses: no kube-proxy serves the machine itself.
            "--enable-aggregator-routing=true",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={AUDIT_LOG}",
            "--audit-log-maxsize=200",
            "--audit-log-maxbackup=1",
            "--profiling=false",
        ],
    )


def start_controllers() -> None:
    """The controller-manager and the scheduler; the API server must be ready."""
    controllers = pki.kubeconfig("controller-manager", "/CN=system:kube-controller-manager")
    scheduler = pki.kubeconfig("scheduler", "/CN=system:kube-scheduler")
    common = [
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]
    processes.start(
        "kube-controller-manager",
        [
            "kube-controller-manager",
            f"--kubeconfig={controllers}",
            f"--secure-port={CONTROLLER_PORT}",
            "--use-service-account-credentials=true",
            f"--root-ca-file={pki.CA}",
            f"--service-account-private-key-file={pki.SERVICE_ACCOUNT_KEY}",
            f"--cluster-signing-cert-file={pki.CA}",
            f"--cluster-signing-key-file={pki.CA_KEY}",
            "--allocate-node-cidrs=false",
            *common,
        ],
    )
    processes.start(
        "kube-scheduler",
        ["kube-scheduler", f"--kubeconfig={scheduler}", f"--secure-port={SCHEDULER_PORT}", *common],
    )


def _pki(name: str) -> Path:
    return pki.FOLDER / name
