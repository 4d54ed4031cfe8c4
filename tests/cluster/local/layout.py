"""Names, addresses and places of the local cluster, each said once.

All that it makes carries one of these prefixes, so whatever is left of a cluster can be recognised without
having been recorded: links `my0`, `my-v*`; namespaces and cgroups `my-*`; processes by MARK in their environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATE = Path("/var/lib/modelyard-cluster")
LOGS = Path("/var/log/modelyard-cluster")
"""The logs of the last cluster, kept when it is gone."""

LOCK = Path("/run/lock/modelyard-cluster.lock")
MARK = "MODELYARD_LOCAL_CLUSTER_PROCESS"
"""Environment variable of every process of the cluster; its value says which one, as `kubelet/n1`."""

PREFIX = "my-"
BRIDGE = "my0"
LINK_PREFIX = "my-v"
NETNS = Path("/run/netns")

NODE_NETWORK = "10.90.0.0/24"
MACHINE = "10.90.0.1"
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"

API_PORT = 6443
REGISTRY_PORT = 5000
REGISTRY = f"{MACHINE}:{REGISTRY_PORT}"
ETCD_PORTS = (12379, 12380)
CONTROLLER_PORT = 10257
SCHEDULER_PORT = 10259
API_SERVER = f"https://{MACHINE}:{API_PORT}"

INTERNET_NETWORK = "198.51.100.0/24"
"""A range that is for documentation only, so nothing real is ever shadowed."""
INTERNET_ADDRESS = "198.51.100.10"
INTERNET_GATEWAY = "10.90.0.200"
INTERNET_NAME = "internet.test"
INTERNET_BODY = "the pretended internet\n"

PAUSE_IMAGE = "modelyard.test/pause:1"
COREDNS_IMAGE = "modelyard.test/coredns:1"

CONTEXT = "modelyard-local"
NODES = 2
"""How many nodes a cluster starts with unless NODES says otherwise."""

MAX_NODES = 9


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One node; its number (1..MAX_NODES) decides all its addresses."""

    number: int

    @property
    def name(self) -> str:
        return f"n{self.number}"

    @property
    def address(self) -> str:
        return f"10.90.0.{10 + self.number}"

    @property
    def pods(self) -> str:
        return f"10.244.{self.number}.0/24"

    @property
    def namespace(self) -> str:
        return PREFIX + self.name

    @property
    def link(self) -> str:
        return LINK_PREFIX + self.name

    @property
    def cgroup(self) -> str:
        return "/" + PREFIX + self.name

    @property
    def folder(self) -> Path:
        return STATE / self.name

    @property
    def containerd_socket(self) -> Path:
        return self.folder / "containerd.sock"


def node(name: str) -> Node:
    """The node called `name`; ValueError when no node can be called so."""
    if name[:1] != "n" or not name[1:].isdigit() or not 1 <= int(name[1:]) <= MAX_NODES:
        raise ValueError(f"{name!r} is no node's name: nodes are n1 to n{MAX_NODES}.")
    return Node(int(name[1:]))


def node_count(text: str) -> int | None:
    """The number of nodes that `text`, the value of NODES, asks for; None when it is empty.

    ValueError when no cluster has so many.
    """
    if not text.strip():
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_NODES:
        raise ValueError(
            f"NODES={text} is no number of nodes: set it to 1 to {MAX_NODES}, or unset it for {NODES}."
        )
    return int(text)
