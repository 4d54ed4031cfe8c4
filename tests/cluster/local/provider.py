"""The local cluster behind the interface that the tests know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import oci, packages, tools
from tests.cluster.local import cleanup, cluster, commands, control_plane, layout, preflight, processes, state
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Internet
from tests.cluster.waiting import NeverHappened

_EXPLAINED = (
    cluster.Died,
    cluster.NotRunning,
    cluster.OtherNodes,
    cleanup.NotClean,
    preflight.Unfit,
    packages.PackagesMissing,
    tools.ToolMissing,
)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _EXPLAINED as error:
        raise ClusterUnavailable(str(error)) from error
    except (NeverHappened, commands.CommandFailed) as error:
        raise ClusterUnavailable(f"{error} (logs of its programs: {layout.LOGS})") from error


class LocalProvider:
    """A real Kubernetes on this machine; one a machine, whatever checkout started it."""

    name = "local"
    capabilities = frozenset(Capability)
    image_registry = layout.REGISTRY
    speaks_plain_http = True
    internet = Internet(layout.INTERNET_ADDRESS, layout.INTERNET_NAME, layout.INTERNET_BODY)
    audit_log = control_plane.AUDIT_LOG

    def __init__(self, kubeconfig: Path, progress: Progress, nodes: str = "") -> None:
        """`nodes` is how many nodes to start with, as NODES has it."""
        self._kubeconfig = kubeconfig
        self._progress = progress
        self._nodes = nodes

    def is_running(self) -> bool:
        return cluster.what_is_wrong() is None

    def describe(self) -> str:
        wrong = cluster.what_is_wrong()
        table = [
            f"{process.role:28} {process.program:18} pid {process.pid:<8} {processes.memory_mib(process.pid):5} MiB"
            for process in processes.running()
        ]
        total = sum(processes.memory_mib(process.pid) for process in processes.running())
        if wrong is not None:
            return "\n".join([f"The local cluster cannot be used: {wrong}.", *table])
        head = f"The local cluster is well: nodes {', '.join(self.nodes())}, {total} MiB of memory in all."
        places = f"registry {layout.REGISTRY}, logs {layout.STATE / 'log'}"
        return "\n".join([head, places, *table])

    def up(self) -> None:
        try:
            count = layout.node_count(self._nodes)
        except ValueError as error:
            raise ClusterUnavailable(str(error)) from error
        with _explained():
            cluster.up(self._kubeconfig, self._progress, count)

    def down(self) -> None:
        with _explained():
            cluster.down(self._progress)
        self._kubeconfig.unlink(missing_ok=True)

    def kubeconfig(self) -> Path:
        with _explained():
            cluster.write_kubeconfig(self._kubeconfig, self._progress)
        return self._kubeconfig

    def nodes(self) -> list[str]:
        record = state.read()
        return [member.name for member in record.members] if record else []

    def add_node(self) -> str:
        with _explained():
            return cluster.add_node(self._progress).name

    def stop_node(self, name: str) -> None:
        try:
            stopped = layout.node(name)
        except ValueError as error:
            raise ClusterUnavailable(str(error)) from error
        with _explained():
            cluster.stop_node(stopped, self._progress)

    def push(self, archive: Path, name: str, tag: str) -> str:
        registry, repository = oci.split(name)
        try:
            with oci.opened(archive) as image:
                digest = oci.push(image, layout.REGISTRY, repository, tag)
        except oci.NotAnImage as error:
            raise ClusterUnavailable(str(error)) from error
        except OSError as error:
            raise ClusterUnavailable(
                f"The cluster's registry {layout.REGISTRY} does not answer: {error}"
            ) from error
        return f"{registry or layout.REGISTRY}/{repository}:{tag}@{digest}"
