"""What the local cluster needs of a machine, judged before anything is started.

`look` reads the machine into plain facts; `problems` decides, and is the only place that does.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import packages
from tests.cluster.cache import cache_dir
from tests.cluster.local.layout import (
    API_PORT,
    BRIDGE,
    CONTROLLER_PORT,
    ETCD_PORTS,
    INTERNET_NETWORK,
    MACHINE,
    NODE_NETWORK,
    NODES,
    PODS,
    REGISTRY_PORT,
    SCHEDULER_PORT,
    SERVICES,
    STATE,
)
from tests.cluster.tools import MODULES, is_built

MEMORY_MIB = 1536
"""What the control plane takes, with some room for pods."""

NODE_MEMORY_MIB = 256
DISK_MIB = 4096
BUILD_DISK_MIB = 12288
_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_MKNOD": 27}
_LOOPBACK_PORTS = {
    ETCD_PORTS[0]: "etcd",
    ETCD_PORTS[1]: "etcd",
    CONTROLLER_PORT: "the controller manager",
    SCHEDULER_PORT: "the scheduler",
}
_BRIDGE_PORTS = {API_PORT: "the API server", REGISTRY_PORT: "the registry"}
_RANGES = (NODE_NETWORK, PODS, SERVICES, INTERNET_NETWORK)


class Unfit(Exception):
    """This machine cannot run the local cluster; the message has one sentence a reason."""


OLDEST_GO = (1, 21)
"""The first Go that fetches the one which a module asks for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of the machine. The defaults describe one that is fit, so that a test says only what is not."""

    system: str = "Linux"
    user: int = 0
    capabilities: int = ~0
    go: bool = True
    go_version: tuple[int, int] = (1, 26)
    built: bool = True
    apt: bool = True
    missing_packages: tuple[str, ...] = ()
    memory_mib: int = 64 * 1024
    state_disk_mib: int = 512 * 1024
    cache_disk_mib: int = 512 * 1024
    cgroups: bool = True
    listening: tuple[tuple[str, int], ...] = ()
    """Addresses and ports that somebody listens on."""
    networks: tuple[tuple[str, str], ...] = ()
    """Ranges that the machine has addresses in or routes to (not the default one), and through which link."""
    nodes: int = NODES
    """How many nodes are wanted."""
    dropping_bridge: bool = False
    """Whether the machine's firewall drops what a bridge forwards."""


def problems(facts: Facts) -> list[str]:
    """Why this machine cannot run the cluster: one sentence each, with the next step. Empty: it can."""
    if facts.system != "Linux":
        return [
            f"The local cluster needs Linux, this is {facts.system}: use CLUSTER=kind or CLUSTER=existing."
        ]
    if facts.user != 0:
        return [
            "The local cluster needs root (namespaces, cgroups, mounts): repeat with sudo, or set CLUSTER=existing."
        ]
    return [*_rights(facts), *_programs(facts), *_room(facts), *_ports(facts), *_networks(facts)]


def _rights(facts: Facts) -> list[str]:
    found = []
    lacking = [name for name, bit in _CAPABILITIES.items() if not facts.capabilities >> bit & 1]
    if lacking:
        found.append(
            f"Root lacks {', '.join(lacking)} here: run on the machine itself or in a privileged container."
        )
    if not facts.cgroups:
        found.append(
            "No cgroups are mounted at /sys/fs/cgroup: mount them, the kubelet limits pods with them."
        )
    if facts.dropping_bridge:
        found.append(
            "The machine's firewall drops what bridges forward, so nodes could not reach each other: "
            "run `sysctl net.bridge.bridge-nf-call-iptables=0`."
        )
    return found


def _programs(facts: Facts) -> list[str]:
    found = []
    if not facts.go:
        found.append(
            "No `go` on PATH: install Go 1.26 or later from https://go.dev/dl, it builds Kubernetes."
        )
    elif not facts.built and facts.go_version < OLDEST_GO:
        version = ".".join(map(str, facts.go_version))
        found.append(
            f"Go {version} is too old to build Kubernetes: install Go 1.26 or later from https://go.dev/dl "
            "(1.21 and later fetch it by themselves)."
        )
    if facts.missing_packages and not facts.apt:
        names = " ".join(facts.missing_packages)
        found.append(
            f"No apt-get to install packages with: use Debian 12 or later, or install {names} yourself."
        )
    return found


def _room(facts: Facts) -> list[str]:
    found = []
    needed = MEMORY_MIB + facts.nodes * NODE_MEMORY_MIB
    if facts.memory_mib < needed:
        found.append(
            f"Only {facts.memory_mib} MiB of memory are free, a cluster of {facts.nodes} nodes needs {needed}: "
            "stop something first."
        )
    if facts.state_disk_mib < DISK_MIB:
        found.append(
            f"Only {facts.state_disk_mib} MiB are free at {STATE.parent}, the cluster needs {DISK_MIB}: make room."
        )
    if not facts.built and facts.cache_disk_mib < BUILD_DISK_MIB:
        found.append(
            f"Only {facts.cache_disk_mib} MiB are free for the cache, building Kubernetes needs {BUILD_DISK_MIB}: "
            "make room, or set XDG_CACHE_HOME, GOCACHE and GOMODCACHE to a disk that has it."
        )
    return found


def _ports(facts: Facts) -> list[str]:
    taken = [(address, port, _user_of(address, port)) for address, port in facts.listening]
    return [
        f"Port {port} is taken on {address}, {user} needs it: see `ss -ltnp 'sport = :{port}'` and stop that process."
        for address, port, user in taken
        if user is not None
    ]


def _user_of(address: str, port: int) -> str | None:
    wildcard = address in ("0.0.0.0", "::")
    if port in _LOOPBACK_PORTS and (wildcard or address in ("127.0.0.1", "::ffff:127.0.0.1")):
        return _LOOPBACK_PORTS[port]
    if port in _BRIDGE_PORTS and (wildcard or address == MACHINE):
        return _BRIDGE_PORTS[port]
    return None


def _networks(facts: Facts) -> list[str]:
    # A wider route (10.0.0.0/8 through a VPN, say) does no harm: ours are narrower and win.
    found = []
    for network, link in facts.networks:
        theirs = ipaddress.ip_network(network, strict=False)
        for ours in map(ipaddress.ip_network, _RANGES):
            if theirs.version == ours.version and theirs.subnet_of(ours):  # type: ignore[arg-type]
                found.append(
                    f"The addresses {network} are in use on this machine ({link}), the cluster needs {ours}: "
                    "take that link down, or use CLUSTER=existing."
                )
    return found


def look(nodes: int = NODES) -> Facts:
    """The facts of this machine, for a cluster of so many nodes."""
    system = platform.system()
    if system != "Linux" or os.geteuid() != 0:
        return Facts(system=system, user=os.geteuid())
    go = shutil.which("go") is not None
    return Facts(
        user=os.geteuid(),
        capabilities=_capabilities(Path("/proc/self/status").read_text()),
        go=go,
        go_version=_go_version() if go else (0, 0),
        built=go and all(is_built(module) for module in MODULES),
        apt=shutil.which("apt-get") is not None,
        missing_packages=tuple(packages.missing()),
        memory_mib=_memory_mib(Path("/proc/meminfo").read_text()),
        state_disk_mib=_free_mib(STATE.parent),
        cache_disk_mib=_free_mib(cache_dir()),
        cgroups=any(Path("/sys/fs/cgroup").glob("*/cgroup.procs"))
        or Path("/sys/fs/cgroup/cgroup.procs").exists(),
        listening=tuple(_listening()),
        networks=tuple(_routes()),
        nodes=nodes,
        dropping_bridge=_drops_on_bridges(),
    )


def check_user() -> None:
    """Raises Unfit when nobody but root on Linux could go on; reads nothing that only root may."""
    if found := problems(Facts(system=platform.system(), user=os.geteuid())):
        raise Unfit("\n".join(found))


def check(nodes: int = NODES) -> None:
    """Raises Unfit when this machine cannot run a cluster of so many nodes."""
    if found := problems(look(nodes)):
        raise Unfit("\n".join(found))


def overlay_works(folder: Path) -> bool:
    """Whether overlay mounts work in `folder` (they do not on top of another overlay)."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        parts = {name: Path(scratch) / name for name in ("lower", "upper", "work", "merged")}
        for part in parts.values():
            part.mkdir()
        options = ",".join(f"{name}dir={parts[name]}" for name in ("lower", "upper", "work"))
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            return False
        subprocess.run(["umount", str(parts["merged"])], check=True)
        return True


def _go_version() -> tuple[int, int]:
    """Major and minor of the Go on PATH; (0, 0) when it does not say."""
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _capabilities(status: str) -> int:
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))


def _memory_mib(meminfo: str) -> int:
    return next(
        int(line.split()[1]) // 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable:")
    )


def _free_mib(folder: Path) -> int:
    return shutil.disk_usage(folder).free // (1024 * 1024)


def _listening() -> list[tuple[str, int]]:
    found = []
    for file in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if file.exists():
            found += listening_in(file.read_text())
    return found


def listening_in(table: str) -> list[tuple[str, int]]:
    """Addresses and ports that are listened on, from the text of /proc/net/tcp or tcp6."""
    fields = [line.split() for line in table.splitlines()[1:]]
    return [_endpoint(field[1]) for field in fields if field[3] == "0A"]


def _endpoint(text: str) -> tuple[str, int]:
    # Each group of 32 bits is written as the machine stores it, in practice little-endian.
    address, port = text.split(":")
    groups = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(groups))), int(port, 16)


def _routes() -> list[tuple[str, str]]:
    # /proc, not `ip`: iproute2 may be one of the packages that are still missing.
    return routes_in(Path("/proc/net/route").read_text())


def routes_in(table: str) -> list[tuple[str, str]]:
    """Ranges and links from the text of /proc/net/route, without the default route and our own bridge."""
    found = []
    for line in table.splitlines()[1:]:
        link, destination, mask = (line.split()[index] for index in (0, 1, 7))
        length = int(mask, 16).bit_count()
        address = ipaddress.ip_address(bytes.fromhex(destination)[::-1])
        if length > 0 and link != BRIDGE:
            found.append((f"{address}/{length}", link))
    return found


def _drops_on_bridges() -> bool:
    switch = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if not switch.exists() or switch.read_text().strip() != "1" or shutil.which("iptables") is None:
        return False
    policy = subprocess.run(["iptables", "-S", "FORWARD"], capture_output=True, text=True).stdout
    return "-P FORWARD DROP" in policy
