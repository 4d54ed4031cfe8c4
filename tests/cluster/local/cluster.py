"""Bringing the local cluster up, changing it while it runs, and taking it down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.cluster import interrupts, packages
from tests.cluster.local import (
    addons,
    api,
    archives,
    cleanup,
    control_plane,
    network,
    node,
    pki,
    preflight,
    processes,
    services,
    state,
)
from tests.cluster.local.commands import CommandFailed, run
from tests.cluster.local.layout import MAX_NODES, NODES, STATE, Node
from tests.cluster.local.state import Record
from tests.cluster.progress import Progress
from tests.cluster.tools import MODULES, built
from tests.cluster.waiting import NeverHappened, until

ADMIN = pki.kubeconfig_file("admin")
_FIRST = Node(1)
_INOTIFY_INSTANCES = "8192"
_PATIENCE = 30.0
"""How long, in seconds, a running cluster may be unwell before it is replaced."""


class Died(Exception):
    """A process of the cluster ended while the cluster was started; the message has its last words."""


class NotRunning(Exception):
    """A command needs a running cluster and there is none."""


class OtherNodes(Exception):
    """The cluster that runs has not as many nodes as are asked for."""


def up(kubeconfig: Path, progress: Progress, count: int | None = None) -> None:
    """Start the cluster and write `kubeconfig`; a healthy one is taken as it is, a broken one is replaced.

    It starts with `count` nodes; raises OtherNodes when that is given and a running cluster has another number.
    When it fails or is interrupted, all that it started is gone again. Raises preflight.Unfit before anything
    is started when the machine cannot run it.
    """
    nodes = [Node(number) for number in range(1, (count or NODES) + 1)]
    preflight.check_user()
    with state.alone(progress), interrupts.raised():
        if _is_running(progress):
            _compare(count)
        else:
            preflight.check(len(nodes))
            _prepare(progress)
            try:
                _start(nodes, progress)
            except BaseException:
                with interrupts.ignored():
                    progress.say("Taking away what was started")
                    cleanup.everything()
                raise
        _write_kubeconfig(kubeconfig)


def down(progress: Progress) -> bool:
    """Take away the cluster, or whatever is left of one; whether there was any."""
    preflight.check_user()
    with state.alone(progress), interrupts.ignored():
        if not cleanup.present():
            return False
        cleanup.everything()
        progress.say("The cluster is gone")
        return True


def add_node(progress: Progress) -> Node:
    """Add a node and wait until it is Ready."""
    preflight.check_user()
    with state.alone(progress), interrupts.raised():
        record = _running_record()
        if record.last_node == MAX_NODES:
            raise NotRunning(f"This cluster has had {MAX_NODES} nodes, the most it can: start a new one.")
        new = Node(record.last_node + 1)
        processes.forget()
        state.write(record.with_node(new))
        try:
            _start_nodes([new], record.members, archives.archives(progress))
            _join([new])
            _wait_ready([new])
        except BaseException:
            with interrupts.ignored():
                cleanup.one_node(new)
                state.write(replace(record, last_node=new.number))
            raise
        progress.say(f"Node {new.name} is Ready")
        return new


def stop_node(stopped: Node, progress: Progress) -> None:
    """Stop a node as if its power were cut: its Node object stays, and turns NotReady. Never the first node."""
    preflight.check_user()
    with state.alone(progress), interrupts.ignored():
        record = _running_record()
        if stopped not in record.members:
            raise NotRunning(f"There is no running node {stopped.name}.")
        if stopped == _FIRST:
            raise NotRunning(
                "Node n1 cannot be stopped: DNS runs there, and the machine reaches Services through it."
            )
        cleanup.one_node(stopped)
        state.write(record.without_node(stopped))
        progress.say(f"Node {stopped.name} is stopped")


def what_is_wrong() -> str | None:
    """Why the cluster cannot be used; None when it is well."""
    return _what_is_lost() or _what_is_unwell()


def _what_is_lost() -> str | None:
    """What does not come back by itself."""
    record = state.read()
    if record is None or not record.ready:
        return (
            "it died while it was started"
            if cleanup.present()
            else "there is none; `make cluster` starts one"
        )
    alive = {process.role for process in processes.running()}
    dead = [role for role in _roles(record) if role not in alive]
    return f"not running: {', '.join(dead)}" if dead else None


def _what_is_unwell() -> str | None:
    """What may pass: on a machine that is short of breath a node misses its hour."""
    record = _running_record()
    try:
        if not api.is_ready():
            return "its API server is not ready"
        late = {member.name for member in record.members} - api.ready_nodes()
    except (api.ApiRefused, *api.UNREACHABLE) as error:
        return f"its API server does not answer: {error}"
    return f"not Ready: {', '.join(sorted(late))}" if late else None


def write_kubeconfig(target: Path, progress: Progress) -> None:
    """Write the kubeconfig of the running cluster to `target`, if it is not there already."""
    if not (ADMIN.exists() and target.exists() and target.read_bytes() == ADMIN.read_bytes()):
        with state.alone(progress):
            _write_kubeconfig(target)


def _roles(record: Record) -> list[str]:
    nodes = [role for member in record.members for role in node.roles(member)]
    return [*control_plane.ROLES, *services.ROLES, *nodes]


def _is_running(progress: Progress) -> bool:
    """Whether a cluster is there and well. One that is not is gone when this returns."""
    if not cleanup.present():
        return False
    wrong = _what_is_lost()
    if wrong is None and (wrong := _still_unwell()) is None:
        progress.say("The cluster is running already")
        return True
    progress.say(f"Taking away what is left of a cluster: {wrong}")
    with interrupts.ignored():
        cleanup.everything()
    return False


def _compare(wanted: int | None) -> None:
    found = len(_running_record().nodes)
    if wanted not in (None, found):
        raise OtherNodes(
            f"The cluster runs with {found} nodes, NODES asks for {wanted}: stop it first with `make cluster-down`, "
            "add nodes with `python -m tests.cluster add-node`, or unset NODES."
        )


def _still_unwell() -> str | None:
    with suppress(NeverHappened):
        until("the cluster is well", lambda: _what_is_unwell() is None, timeout=_PATIENCE, every=1)
    return _what_is_unwell()


def _running_record() -> Record:
    record = state.read()
    if record is None or not record.ready:
        raise NotRunning("No cluster is running: start one with `make demo` or `make cluster`.")
    return record


def _prepare(progress: Progress) -> None:
    """All that takes minutes on a fresh machine and nothing later."""
    packages.ensure(progress)
    for module in MODULES:
        built(module, progress)
    archives.archives(progress)


def _start(nodes: list[Node], progress: Progress) -> None:
    processes.forget()
    folders, settings = cleanup.missing_folders(), cleanup.sysctls()
    record = state.write(Record(started=time.time(), folders=folders, sysctls=settings))
    Path("/proc/sys/fs/inotify/max_user_instances").write_text(_INOTIFY_INSTANCES)
    network.make()
    progress.say("The network is there")
    control_plane.start_etcd()
    services.start_registry()
    services.start_internet()
    pki.make_authority()
    pki.kubeconfig("admin", "/O=system:masters/CN=modelyard-admin")
    control_plane.start_api_server()
    for new in nodes:
        record = state.write(record.with_node(new))
    with ThreadPoolExecutor(1) as meanwhile:
        loading = meanwhile.submit(_start_nodes, nodes, [], archives.archives(progress))
        _until("the API server is ready", api.is_ready)
        progress.say("The API server is ready")
        control_plane.start_controllers()
        node.make_agents_kubeconfigs()
        _until("the first objects are there", _apply_addons)
        loading.result()
    _join(nodes)
    _wait_ready(nodes)
    progress.say(f"Nodes {', '.join(member.name for member in nodes)} are Ready")
    _until("DNS is ready", lambda: api.is_available(addons.DNS_NAMESPACE, addons.DNS_NAME))
    progress.say("DNS is ready")
    state.write(replace(record, ready=True))


def _apply_addons() -> str:
    return run("kubectl", f"--kubeconfig={ADMIN}", "apply", "-f", "-", stdin=json.dumps(addons.manifests()))


def _start_nodes(nodes: list[Node], others: list[Node], images: list[Path]) -> None:
    """Namespaces and container runtimes, with the images that their first pods need."""
    snapshotter = "overlayfs" if preflight.overlay_works(STATE) else "native"
    joined = list(others)
    for new in nodes:
        network.join(new, joined)
        joined.append(new)
        node.start_containerd(new, snapshotter)
    for new in nodes:
        _until(f"containerd of {new.name} listens", new.containerd_socket.exists)
    with ThreadPoolExecutor(len(nodes)) as loaders:
        for loaded in [loaders.submit(archives.load, new, image) for image in images for new in nodes]:
            loaded.result()


def _join(nodes: list[Node]) -> None:
    """Kubelets, then the agents; kube-router ends when its node is not registered or has no pod range."""
    for new in nodes:
        node.start_kubelet(new)
    names = {new.name for new in nodes}
    _until("the nodes register", lambda: names <= api.node_names())
    for new in nodes:
        _until(f"{new.name} has its pods' addresses", partial(api.set_pod_range, new.name, new.pods))
        node.start_agents(new)


def _wait_ready(nodes: list[Node]) -> None:
    names = {new.name for new in nodes}
    _until("the nodes are Ready", lambda: names <= api.ready_nodes())


def _until(what: str, look: Callable[[], object]) -> None:
    """Wait, but no longer than all that was started lives. An API that is ready may still refuse its first requests."""
    refused = "nothing was refused"

    def looked() -> object:
        nonlocal refused
        if last_words := processes.ended():
            raise Died(last_words)
        try:
            return look()
        except (api.ApiRefused, CommandFailed, *api.UNREACHABLE) as error:
            refused = str(error)
            return None

    try:
        until(what, looked)
    except NeverHappened as never:
        raise NeverHappened(f"{never}; {refused}") from None


def _write_kubeconfig(target: Path) -> None:
    record = _running_record()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(ADMIN.read_bytes())
    if str(target) not in record.kubeconfigs:
        state.write(replace(record, kubeconfigs=(*record.kubeconfigs, str(target))))
