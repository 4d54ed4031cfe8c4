"""One node: containerd, kubelet, kube-proxy and the NetworkPolicy engine, in the node's network namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.local import cgroups, pki, processes
from tests.cluster.local.layout import DNS_SERVICE, DOMAIN, PAUSE_IMAGE, PODS, REGISTRY, SERVICES, Node

PROGRAMS = ("containerd", "kubelet", "kube-proxy", "kube-router")
CNI_PROGRAMS = Path("/usr/lib/cni")
MIRRORED = ("docker.io", "registry.example.com")
"""Registries out of the nodes' reach: what is asked of them comes from ours, `library/python` and the like. The second
one exists nowhere: examples name it in place of a registry of the reader's."""


def start_containerd(node: Node, snapshotter: str) -> None:
    """The container runtime; it needs nothing but the node's namespace."""
    (node.folder / "tmp").mkdir(parents=True)
    _write(node.folder / "cni" / "10-pods.conflist", json.dumps(_pod_network(node)))
    for name in (REGISTRY, *MIRRORED):
        _write(
            node.folder / "registries" / name / "hosts.toml",
            f'server = "http://{REGISTRY}"\n[host."http://{REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n',
        )
    config = _write(node.folder / "containerd.toml", containerd_config(node, snapshotter))
    temporary = {"TMPDIR": str(node.folder / "tmp")}
    processes.start(
        f"containerd/{node.name}", ["containerd", "-c", str(config)], namespace=node.namespace, env=temporary
    )


def start_kubelet(node: Node) -> None:
    """The kubelet; the API server must be ready."""
    cgroups.make(node.cgroup)
    subject = f"/O=system:nodes/CN=system:node:{node.name}"
    kubeconfig = pki.kubeconfig(node.name, subject, [f"IP:{node.address}", f"DNS:{node.name}"])
    _write(node.folder / "resolv.conf", "# pods have the cluster's DNS and no other\n")
    config = _write(node.folder / "kubelet.json", json.dumps(kubelet_config(node), indent=1))
    command = [
        "kubelet",
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={node.folder / 'kubelet'}",
        f"--cert-dir={node.folder / 'certificates'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--node-labels=modelyard.test/node={node.name}",
    ]
    processes.start(f"kubelet/{node.name}", command, namespace=node.namespace)


def make_agents_kubeconfigs() -> None:
    """The users that kube-proxy and kube-router are, on every node."""
    pki.kubeconfig("kube-proxy", "/CN=system:kube-proxy")
    pki.kubeconfig("kube-router", "/CN=modelyard:kube-router")


def start_agents(node: Node) -> None:
    """kube-proxy and kube-router; the node must be registered and must have its pod range, which they read once."""
    config = _write(node.folder / "kube-proxy.json", json.dumps(proxy_config(node), indent=1))
    processes.start(f"kube-proxy/{node.name}", ["kube-proxy", f"--config={config}"], namespace=node.namespace)
    router = [
        "kube-router",
        f"--kubeconfig={pki.kubeconfig_file('kube-router')}",
        f"--hostname-override={node.name}",
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--run-loadbalancer=false",
        "--enable-cni=false",
        f"--service-cluster-ip-range={SERVICES}",
        "--health-port=0",
        "--metrics-port=0",
        # A pod that it has not seen yet is refused, not let through: a policy holds from a pod's first packet.
        "--netpol-default-deny=true",
    ]
    processes.start(f"kube-router/{node.name}", router, namespace=node.namespace)


def roles(node: Node) -> list[str]:
    """The processes that a living node has."""
    return [f"{program}/{node.name}" for program in PROGRAMS]


def _pod_network(node: Node) -> dict[str, Any]:
    # ptp routes every packet through the node, also between two pods on it, so policy sees them all.
    addresses = {
        "type": "host-local",
        "dataDir": str(node.folder / "addresses"),
        "ranges": [[{"subnet": node.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    pods = {"type": "ptp", "mtu": 1400, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [pods, ports]}


def containerd_config(node: Node, snapshotter: str) -> str:
    """containerd's configuration; nothing of it lies outside the node's folder."""
    folder = node.folder
    return f"""version = 2
root = "{folder}/containerd"
state = "{folder}/run"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt",
  "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{node.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  enable_unprivileged_ports = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/registries"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "{folder}/runc"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
"""


def kubelet_config(node: Node) -> dict[str, Any]:
    """The kubelet's configuration: webhook authorization, nothing evicted for a full disk, no chains of its own."""
    everything = ("imagefs.available", "imagefs.inodesFree", "nodefs.available", "nodefs.inodesFree")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.CA)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki.FOLDER / f"{node.name}.crt"),
        "tlsPrivateKeyFile": str(pki.FOLDER / f"{node.name}.key"),
        "address": node.address,
        "healthzBindAddress": "127.0.0.1",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        "enforceNodeAllocatable": ["pods"],
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": True,
        "evictionHard": dict.fromkeys(everything, "0%"),
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "resolvConf": str(node.folder / "resolv.conf"),
        "podLogsDir": str(node.folder / "pod-logs"),
        "volumePluginDir": str(node.folder / "volume-plugins"),
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "maxPods": 60,
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "runtimeRequestTimeout": "2m",
        "shutdownGracePeriod": "0s",
    }


def proxy_config(node: Node) -> dict[str, Any]:
    """kube-proxy's configuration; it masquerades what comes from the machine, so answers find their way back."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": PODS,
        "clientConnection": {"kubeconfig": str(pki.kubeconfig_file("kube-proxy"))},
        "hostnameOverride": node.name,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "healthzBindAddress": "",
        "metricsBindAddress": "127.0.0.1:10249",
        "nftables": {"minSyncPeriod": "0s", "syncPeriod": "30s"},
    }


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
