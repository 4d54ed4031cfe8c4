"""A cluster of Docker containers, made by the program `kind`; its images come from a registry in one more container.

Everything has one name, so that what an interrupted run left is found and taken away: the cluster `modelyard`, the
container `modelyard-registry`. Images are pushed rather than loaded into nodes, because pods name them by digest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster import interrupts, oci
from tests.cluster.builders import docker_answers
from tests.cluster.kind_config import (
    CLUSTER,
    REGISTRY,
    REGISTRY_PORT,
    config,
    not_ready,
    worker_count,
)
from tests.cluster.kind_registry import Docker, Registry
from tests.cluster.programs import ProgramFailed, Run, check_version, kubectl, or_else, run, write_private
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, ClusterUnavailable, Internet
from tests.cluster.waiting import NeverHappened, until

READY = 180.0
"""Seconds that a cluster has to come up."""
EVERY = 0.5
"""Seconds between two looks at one that comes up."""
_REQUEST = "--request-timeout=10s"
_DOCKER = "see that `docker version` answers, then try again"
_LEFT = "see that `docker version` answers, then `make cluster-down` takes away what is left"
_ANEW = "`make cluster-down`, then `make cluster`, makes it anew"
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
        self._docker = Docker(run)
        self._registry = Registry(self._docker)

    @or_else(_DOCKER)
    def is_running(self) -> bool:
        return self._exists() and all(map(self._docker.runs, [*self._containers(), REGISTRY]))

    @or_else(_DOCKER)
    def describe(self) -> str:
        if not self._exists():
            return f"There is no cluster {CLUSTER} of kind; `make cluster` makes it."
        states = [
            f"{name:28} {'runs' if self._docker.runs(name) else 'does not run'}"
            for name in [*self._containers(), REGISTRY]
        ]
        return "\n".join([f"The cluster {CLUSTER} of kind, in containers of Docker:", *states])

    @or_else(_DOCKER)
    def up(self) -> None:
        workers = worker_count(self._nodes)
        if not self._exists():
            self._create(workers)
            return
        with or_else(_ANEW):
            self._wake()
        self._check_version()

    @or_else(_LEFT)
    def down(self) -> None:
        if self._exists():
            with self._progress.during(f"Deleting the cluster {CLUSTER} of kind"):
                self._run(
                    ["kind", "delete", "cluster", f"--name={CLUSTER}", f"--kubeconfig={self._kubeconfig}"]
                )
        self._registry.remove()
        self._kubeconfig.unlink(missing_ok=True)

    @or_else("`make cluster` makes or starts it")
    def kubeconfig(self) -> Path:
        return self._written()

    @or_else(_DOCKER)
    def nodes(self) -> list[str]:
        """Those that run pods: the control plane does not."""
        return [name for name in self._containers() if "-worker" in name and self._docker.runs(name)]

    def add_node(self) -> str:
        raise ClusterUnavailable(
            "kind adds no node to a cluster that runs: `make cluster-down`, then NODES=3 make cluster."
        )

    def stop_node(self, name: str) -> None:
        running = self.nodes()
        if name not in running:
            others = (
                f": stop one of {', '.join(running)}"
                if running
                else ", nor another: `make cluster` starts them"
            )
            raise ClusterUnavailable(f"There is no node {name} that runs{others}.")
        with or_else("`python -m tests.cluster status` says what runs"):
            self._docker("kill", name)

    def push(self, archive: Path, name: str, tag: str) -> str:
        registry, repository = oci.split(name)
        if registry:
            raise ClusterUnavailable(
                f"Nodes of kind pull {registry} itself: push {name} there, or give it a name without a registry."
            )
        try:
            with oci.opened(archive) as image:
                digest = oci.push(image, self._registry.published(), repository, tag)
        except oci.NotAnImage as error:
            raise ClusterUnavailable(str(error)) from error
        except OSError as error:
            raise ClusterUnavailable(
                f"The registry {REGISTRY} does not answer: {error}; `make cluster` starts it, "
                f"`docker logs {REGISTRY}` says more."
            ) from error
        return f"{self.image_registry}/{repository}:{tag}@{digest}"

    # --- steps -----------------------------------------------------------------------------------------

    def _create(self, workers: int) -> None:
        """Registry and cluster; nothing is left of them when this is interrupted or fails."""
        begin = ["kind", "create", "cluster", f"--name={CLUSTER}", "--config=-", f"--wait={READY:.0f}s"]
        begin.append(f"--kubeconfig={self._kubeconfig}")
        doing = f"Making the cluster {CLUSTER} with kind ({workers} nodes for pods)"
        with (
            self._whole_or_nothing(),
            or_else("mend that, then `make cluster`"),
            self._progress.during(doing),
        ):
            self._kubeconfig.parent.mkdir(parents=True, exist_ok=True)
            self._registry.remove()
            self._registry.start()
            self._run(begin, stdin=config(workers))
            self._registry.lead(self._containers())
            self._wait()
            self._check_version()

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """Takes all away after an error, which stays the one raised; a failure of that is told in a note of it."""
        try:
            yield
        except BaseException as error:
            with interrupts.ignored():
                try:
                    self.down()
                except (ClusterUnavailable, OSError) as another:
                    error.add_note(f"Taking away what was begun failed too: {another}")
            raise

    def _wake(self) -> None:
        """Start what was stopped, with Docker say, and make what an interrupted run did not come to."""
        asleep = [name for name in self._containers() if not self._docker.runs(name)]
        if asleep:
            with self._progress.during(f"Starting {', '.join(asleep)}"):
                self._docker("start", *asleep)
        self._registry.start()
        self._registry.lead(self._containers())
        with self._progress.during(f"Waiting for the cluster {CLUSTER} of kind"):
            self._wait()

    def _wait(self) -> None:
        """Until the API server and all nodes are ready; ProgramFailed with what is wrong after READY seconds."""
        self._written()
        with suppress(NeverHappened):
            until("the cluster is well", lambda: self._wrong() is None, timeout=READY, every=EVERY)
            return
        raise ProgramFailed(
            f"The cluster {CLUSTER} of kind did not come up in {READY:.0f} s: {self._wrong()}"
        )

    def _check_version(self) -> None:
        check_version(self._ask("version", "--output=json"), f"The cluster {CLUSTER} of kind")

    def _written(self) -> Path:
        """The path of the kubeconfig, which kind has told anew."""
        write_private(self._kubeconfig, self._run(["kind", "get", "kubeconfig", f"--name={CLUSTER}"]))
        return self._kubeconfig

    # --- looking ---------------------------------------------------------------------------------------

    def _exists(self) -> bool:
        return CLUSTER in self._run(["kind", "get", "clusters"]).split()

    def _containers(self) -> list[str]:
        """All containers of the cluster, by name."""
        return sorted(self._run(["kind", "get", "nodes", f"--name={CLUSTER}"]).split())

    def _wrong(self) -> str | None:
        """What keeps the cluster from being ready; None when nothing does."""
        try:
            self._ask("get", "--raw=/readyz")
            lacking = not_ready(self._containers(), self._ask("get", "nodes", "--output=json"))
        except ProgramFailed as error:
            return str(error)
        return f"not Ready are {', '.join(lacking)}" if lacking else None

    def _ask(self, *arguments: str) -> str:
        """What kubectl prints. Raises ProgramFailed, at once where the API server does not answer."""
        return self._run([kubectl(), *arguments, f"--kubeconfig={self._kubeconfig}", _REQUEST])
