"""A cluster of Docker containers, made by the program `kind`; its images come from a registry in one more container.

Everything has one name, so that what an interrupted run left is found and taken away: the cluster `modelyard`, the
container `modelyard-registry`. Images are pushed rather than loaded into nodes, because pods name them by digest.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cluster import oci
from tests.cluster.builders import docker_answers
from tests.cluster.programs import Run, check_version, run, write_private
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Internet
from tests.cluster.tools import kubectl

CLUSTER = "modelyard"
REGISTRY = "modelyard-registry"
REGISTRY_IMAGE = "docker.io/library/registry:3"
REGISTRY_PORT = 5000
NETWORK = "kind"
"""The Docker network of all clusters of kind."""

HOSTS = f"/etc/containerd/certs.d/{REGISTRY}:{REGISTRY_PORT}"
READY = "180s"
WORKERS = 2
MAX_WORKERS = 9

_OTHERWISE = "or set CLUSTER=local (root on Linux) or CLUSTER=existing (a cluster of yours)"


def is_there() -> bool:
    """Whether this machine has kind, and a Docker that answers."""
    return missing() is None


def missing() -> str | None:
    """What kind lacks here, with the next step; None when it can be used."""
    if not docker_answers():
        return f"CLUSTER=kind needs Docker, and no daemon answers `docker version`: start it, {_OTHERWISE}."
    if shutil.which("kind") is None:
        return f"CLUSTER=kind needs the program kind (https://kind.sigs.k8s.io): install it, {_OTHERWISE}."
    return None


def worker_count(text: str) -> int:
    """How many nodes run pods, as NODES has it; ClusterUnavailable for what is no such number."""
    stripped = text.strip()
    if not stripped:
        return WORKERS
    if not (stripped.isascii() and stripped.isdecimal() and 1 <= int(stripped) <= MAX_WORKERS):
        raise ClusterUnavailable(
            f"NODES={text} is no number of nodes: set it to 1 to {MAX_WORKERS}, or unset it for {WORKERS}."
        )
    return int(stripped)


def config(workers: int) -> str:
    """The cluster's configuration as kind reads it: one control plane, and nodes that run pods.

    Where containerd looks for registries (`HOSTS`) needs no word: all node images of Kubernetes >= 1.33 look there.
    """
    wanted = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane"}, *({"role": "worker"} for _ in range(workers))],
    }
    return json.dumps(wanted)


def hosts_file() -> str:
    """What tells containerd that the registry speaks plain HTTP."""
    return f'[host."http://{REGISTRY}:{REGISTRY_PORT}"]\n'


class KindProvider:
    """Implements `provider.Provider`."""

    name = "kind"
    capabilities = frozenset({Capability.STOP_NODE, Capability.NETWORK_POLICY})
    image_registry = f"{REGISTRY}:{REGISTRY_PORT}"
    speaks_plain_http = True
    internet: Internet | None = None
    audit_log: Path | None = None

    def __init__(self, kubeconfig: Path, progress: Progress, nodes: str = "", run: Run = run) -> None:
        self._kubeconfig = kubeconfig
        self._progress = progress
        self._nodes = nodes
        self._run = run

    def is_running(self) -> bool:
        return self._exists() and all(map(self._runs, [*self._containers(), REGISTRY]))

    def describe(self) -> str:
        if not self._exists():
            return f"There is no cluster {CLUSTER} of kind; `make cluster` makes it."
        states = [
            f"{name:28} {'runs' if self._runs(name) else 'does not run'}"
            for name in [*self._containers(), REGISTRY]
        ]
        return "\n".join([f"The cluster {CLUSTER} of kind, in containers of Docker:", *states])

    def up(self) -> None:
        workers = worker_count(self._nodes)
        if not self._exists():
            self._create(workers)
        else:
            self._wake()
        said = self._run([str(kubectl()), f"--kubeconfig={self.kubeconfig()}", "version", "--output=json"])
        check_version(said, f"The cluster {CLUSTER} of kind")

    def down(self) -> None:
        if self._exists():
            with self._progress.during(f"Deleting the cluster {CLUSTER} of kind"):
                self._run(
                    ["kind", "delete", "cluster", f"--name={CLUSTER}", f"--kubeconfig={self._kubeconfig}"]
                )
        if self._has_registry():
            self._run(["docker", "rm", "--force", "--volumes", REGISTRY])
        self._kubeconfig.unlink(missing_ok=True)

    def kubeconfig(self) -> Path:
        write_private(self._kubeconfig, self._run(["kind", "get", "kubeconfig", f"--name={CLUSTER}"]))
        return self._kubeconfig

    def nodes(self) -> list[str]:
        """Those that run pods: the control plane does not."""
        return [name for name in self._containers() if "-worker" in name and self._runs(name)]

    def add_node(self) -> str:
        raise ClusterUnavailable(
            "kind adds no node to a cluster that runs: `make cluster-down`, then NODES=3 make cluster."
        )

    def stop_node(self, name: str) -> None:
        if name not in self.nodes():
            raise ClusterUnavailable(f"There is no node {name} that runs: {', '.join(self.nodes())}.")
        self._run(["docker", "kill", name])

    def push(self, archive: Path, name: str, tag: str) -> str:
        registry, repository = oci.split(name)
        if registry:
            raise ClusterUnavailable(
                f"Nodes of kind pull {registry} itself: push {name} there, or give it a name without a registry."
            )
        try:
            with oci.opened(archive) as image:
                digest = oci.push(image, self._published(), repository, tag)
        except oci.NotAnImage as error:
            raise ClusterUnavailable(str(error)) from error
        except OSError as error:
            raise ClusterUnavailable(f"The registry {REGISTRY} does not answer: {error}") from error
        return f"{self.image_registry}/{repository}:{tag}@{digest}"

    # --- steps -----------------------------------------------------------------------------------------

    def _create(self, workers: int) -> None:
        """Registry and cluster; nothing is left of them when this is interrupted or fails."""
        begin = ["kind", "create", "cluster", f"--name={CLUSTER}", "--config=-", f"--wait={READY}"]
        begin.append(f"--kubeconfig={self._kubeconfig}")
        try:
            with self._progress.during(f"Making the cluster {CLUSTER} with kind ({workers} nodes for pods)"):
                self._kubeconfig.parent.mkdir(parents=True, exist_ok=True)
                self._start_registry()
                self._run(begin, stdin=config(workers))
                self._run(["docker", "network", "connect", NETWORK, REGISTRY])
                for node in self._containers():
                    self._run(["docker", "exec", node, "mkdir", "-p", HOSTS])
                    copy = [
                        "docker",
                        "exec",
                        "--interactive",
                        node,
                        "cp",
                        "/dev/stdin",
                        f"{HOSTS}/hosts.toml",
                    ]
                    self._run(copy, stdin=hosts_file())
        except BaseException:
            self.down()
            raise

    def _start_registry(self) -> None:
        if self._has_registry():
            self._run(["docker", "rm", "--force", "--volumes", REGISTRY])
        published = f"--publish=127.0.0.1::{REGISTRY_PORT}"
        self._run(["docker", "run", "--detach", f"--name={REGISTRY}", published, REGISTRY_IMAGE])

    def _wake(self) -> None:
        """Start what was stopped, with Docker say."""
        asleep = [name for name in [*self._containers(), REGISTRY] if not self._runs(name)]
        if asleep:
            with self._progress.during(f"Starting {', '.join(asleep)}"):
                self._run(["docker", "start", *asleep])

    # --- looking ---------------------------------------------------------------------------------------

    def _exists(self) -> bool:
        return CLUSTER in self._run(["kind", "get", "clusters"]).split()

    def _containers(self) -> list[str]:
        """All containers of the cluster, by name."""
        return sorted(self._run(["kind", "get", "nodes", f"--name={CLUSTER}"]).split())

    def _has_registry(self) -> bool:
        listed = ["docker", "ps", "--all", f"--filter=name=^{REGISTRY}$", "--format={{.Names}}"]
        return REGISTRY in self._run(listed).split()

    def _runs(self, container: str) -> bool:
        listed = ["docker", "ps", f"--filter=name=^{container}$", "--format={{.Names}}"]
        return container in self._run(listed).split()

    def _published(self) -> str:
        """host:port of this machine where the registry answers."""
        return self._run(["docker", "port", REGISTRY, f"{REGISTRY_PORT}/tcp"]).split()[0]
