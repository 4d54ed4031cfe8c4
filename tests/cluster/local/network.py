"""Links, namespaces and routes: a bridge, a namespace a node, and one that pretends to be the internet."""

from __future__ import annotations

import subprocess

from tests.cluster.local.commands import CommandFailed, inside, run
from tests.cluster.local.layout import (
    BRIDGE,
    INTERNET_ADDRESS,
    INTERNET_GATEWAY,
    INTERNET_NETWORK,
    LINK_PREFIX,
    MACHINE,
    NODE_NETWORK,
    PODS,
    PREFIX,
    SERVICES,
    Node,
)
from tests.cluster.tools import tool

INTERNET_NAMESPACE = PREFIX + "inet"

# Traffic that a node sends out for its pods takes the node's address, as in a cloud; between pods, and to other
# nodes, it keeps the pod's: NetworkPolicy there must see who asks.
_MASQUERADE = (
    "table ip modelyard { chain leaving { type nat hook postrouting priority 90; "
    f"ip saddr {PODS} ip daddr != {{ {PODS}, {NODE_NETWORK} }} oifname eth0 masquerade; }}; }}"
)


def make() -> None:
    """The machine's side: the bridge, and the pretended internet behind it."""
    run("ip", "-batch", "-", stdin=_machine_side())
    _namespace(INTERNET_NAMESPACE, LINK_PREFIX + "inet", INTERNET_GATEWAY)
    _ip_inside(INTERNET_NAMESPACE, f"addr add {INTERNET_ADDRESS}/32 dev lo\n")


def _machine_side() -> str:
    return "\n".join(
        [
            f"link add {BRIDGE} type bridge",
            f"addr add {MACHINE}/24 dev {BRIDGE}",
            f"link set {BRIDGE} up",
            f"route add {INTERNET_ADDRESS}/32 via {INTERNET_GATEWAY}",
            f"route add unreachable {INTERNET_NETWORK}",
            "",
        ]
    )


def join(node: Node, others: list[Node]) -> None:
    """Give `node` its namespace, and it and `others` and the machine the routes to each other's pods."""
    _namespace(node.namespace, node.link, node.address)
    routes = [
        f"route add {INTERNET_ADDRESS}/32 via {INTERNET_GATEWAY}",
        f"route add unreachable {INTERNET_NETWORK}",
    ]
    routes += [f"route add {other.pods} via {other.address}" for other in others]
    _ip_inside(node.namespace, "\n".join([*routes, ""]))
    _inside(node.namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    _inside(node.namespace, "nft", _MASQUERADE)
    for other in others:
        _ip_inside(other.namespace, f"route replace {node.pods} via {node.address}\n")
    run("ip", "route", "replace", node.pods, "via", node.address)
    if not others:  # the first node proxies for the machine: tests reach Services by address
        run("ip", "route", "replace", SERVICES, "via", node.address)


def _namespace(name: str, link: str, address: str) -> None:
    batch = [
        f"netns add {name}",
        f"link add {link} type veth peer name eth0 netns {name}",
        f"link set {link} master {BRIDGE} up",
        "",
    ]
    run("ip", "-batch", "-", stdin="\n".join(batch))
    _ip_inside(name, f"addr add {address}/24 dev eth0\nlink set eth0 up\nlink set lo up\n")


def _ip_inside(namespace: str, batch: str) -> None:
    _inside(namespace, "ip", "-batch", "-", stdin=batch)


def _inside(namespace: str, program: str, *arguments: str, stdin: str | None = None) -> None:
    command = inside(namespace, [str(tool(program)), *arguments])
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandFailed(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.strip()}")
