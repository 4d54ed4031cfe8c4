"""Taking the cluster away: found by its names, whoever left it and in whatever state.

Nothing here trusts that `up` came to its end. The record only adds what names cannot tell: kernel settings
and folders as they were before.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.cluster.local import cgroups, commands, pki, processes, state
from tests.cluster.local.layout import BRIDGE, INTERNET_NETWORK, LINK_PREFIX, LOGS, NETNS, PREFIX, STATE, Node
from tests.cluster.waiting import until

# Folders that the kubelet, containerd and CNI plugins make at fixed places, deepest first.
FOLDERS = (
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/lib/cni/results",
    "/var/lib/cni",
    "/var/log/containers",
    "/var/log/pods",
    "/run/containerd/s",
    "/run/containerd",
    "/run/netns",
)

# What the kubelet sets for the whole machine, and the one setting that two nodes on one machine need raised.
SYSCTLS = (
    "fs/inotify/max_user_instances",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
_SHIM_SOCKETS = Path("/run/containerd/s")


class NotClean(Exception):
    """Something of the cluster could not be taken away; the message says what."""


def present() -> bool:
    """Whether there is anything of a cluster, alive or dead."""
    places = (STATE, NETNS / f"{PREFIX}inet", Path("/sys/class/net", BRIDGE))
    return any(place.exists() for place in places) or bool(cgroups.ours() or processes.running())


def everything() -> None:
    """Take all of it away, at once. Raises NotClean at the end when something stayed."""
    record = state.read()
    steps: list[Callable[[], object]] = [
        lambda: _end_processes(PREFIX, None),
        _remove_shim_sockets,
        lambda: _unmount(STATE),
        _remove_links,
        lambda: commands.succeeds("ip", "route", "del", "unreachable", INTERNET_NETWORK),
        lambda: _remove_cgroups(PREFIX),
        lambda: _remove_files(STATE),
        lambda: _restore(record),
        lambda: _forget_kubeconfigs(record),
        _keep_logs,
        lambda: shutil.rmtree(STATE, ignore_errors=True),
    ]
    failed = []
    for step in steps:
        try:
            step()
        except (
            OSError,
            AssertionError,
            commands.CommandFailed,
        ) as error:  # go on: the rest can still be taken away
            failed.append(str(error))
    if STATE.exists():
        failed.append(f"{STATE} could not be removed")
    if failed:
        raise NotClean("; ".join(failed))


def one_node(node: Node) -> None:
    """Take one node away, as if its power were cut."""
    _end_processes(node.namespace, node.name)
    _remove_shim_sockets()
    _unmount(node.folder)
    _remove_namespace(NETNS / node.namespace)
    commands.succeeds("ip", "link", "del", node.link)
    commands.succeeds("ip", "route", "del", node.pods)
    _remove_cgroups(node.namespace)
    _remove_files(node.folder)
    for file in pki.files(node.name):
        file.unlink(missing_ok=True)
    shutil.rmtree(node.folder, ignore_errors=True)


def _end_processes(prefix: str, node: str | None) -> None:
    """End the marked processes (all, or those of `node`) and all in cgroups that start with `prefix`."""

    def gone() -> bool:
        marked = {process.pid for process in processes.running() if node is None or process.node == node}
        pids = marked | cgroups.processes(cgroups.ours(prefix))
        processes.kill(pids)
        return not pids

    until("the cluster's processes end", gone, timeout=20, every=0.05)


def _remove_shim_sockets() -> None:
    # A shim that was killed leaves its socket. Its name is a hash, so: those that nobody listens on.
    if _SHIM_SOCKETS.exists():
        listening = _listening_sockets()
        for socket in _SHIM_SOCKETS.iterdir():
            if str(socket) not in listening:
                socket.unlink()


def _listening_sockets() -> set[str]:
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    return {line.split()[-1] for line in lines if line.split()[-1].startswith("/")}


def _unmount(folder: Path) -> None:
    for mount in reversed(mounts_below(folder, Path("/proc/self/mountinfo").read_text())):
        commands.succeeds("umount", "--lazy", mount)


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """Mount points in `folder`, in the order they were mounted, from the text of /proc/self/mountinfo."""
    points = [line.split()[4].replace("\\040", " ") for line in mountinfo.splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


def _remove_links() -> None:
    if NETNS.exists():
        for namespace in NETNS.glob(f"{PREFIX}*"):
            _remove_namespace(namespace)
    # A process that holds a namespace would keep these alive.
    for link in Path("/sys/class/net").iterdir():
        if link.name == BRIDGE or link.name.startswith(LINK_PREFIX):
            commands.succeeds("ip", "link", "del", link.name)


def _remove_namespace(namespace: Path) -> None:
    # `ip netns add` interrupted halfway leaves a file that is no mount.
    if namespace.exists() and not commands.succeeds("ip", "netns", "del", namespace.name):
        commands.succeeds("umount", "--lazy", str(namespace))
        namespace.unlink(missing_ok=True)


def _remove_cgroups(prefix: str) -> None:
    def gone() -> bool:
        for cgroup in cgroups.ours(prefix):
            try:
                cgroup.rmdir()
            except OSError:  # a process that was killed is still on its way out
                return False
        return True

    until("the cgroups can be removed", gone, timeout=10, every=0.05)


def _remove_files(owner: Path) -> None:
    """Files outside the state that name something inside `owner`."""
    for link in Path("/var/log/containers").glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(str(owner)):
            link.unlink()
    for result in Path("/var/lib/cni/results").glob("*"):
        if f"{owner}/" in result.read_text(errors="replace"):
            result.unlink()


def _restore(record: state.Record | None) -> None:
    if record is None:
        return
    for name, value in record.sysctls.items():
        Path("/proc/sys", name).write_text(value)
    device_socket = Path("/var/lib/kubelet/device-plugins/kubelet.sock")  # there, whatever --root-dir says
    if str(device_socket.parent) in record.folders:
        device_socket.unlink(missing_ok=True)
    for folder in record.folders:
        path = Path(folder)
        if path.exists() and not any(path.iterdir()):
            if path == NETNS:  # `ip netns add` mounts the folder on itself
                commands.succeeds("umount", folder)
            path.rmdir()


def _forget_kubeconfigs(record: state.Record | None) -> None:
    ours = pki.kubeconfig_file("admin")
    for written in map(Path, record.kubeconfigs if record else ()):
        if ours.exists() and written.exists() and written.read_bytes() == ours.read_bytes():
            written.unlink()


def _keep_logs() -> None:
    if (STATE / "log").exists():
        shutil.rmtree(LOGS, ignore_errors=True)
        shutil.copytree(STATE / "log", LOGS)


def sysctls() -> dict[str, str]:
    """Kernel settings as they are now, for those that a cluster changes."""
    found = {name: Path("/proc/sys", name) for name in SYSCTLS}
    return {name: path.read_text().strip() for name, path in found.items() if path.exists()}


def missing_folders() -> tuple[str, ...]:
    """Which of FOLDERS do not exist now."""
    return tuple(folder for folder in FOLDERS if not Path(folder).exists())
