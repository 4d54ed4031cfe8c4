"""The registry that nodes of kind pull from, in a container of its own; what is made of it already stays as it is."""

from __future__ import annotations

from collections.abc import Iterable

from tests.cluster.kind_config import HOSTS, REGISTRY, REGISTRY_PORT, hosts_file
from tests.cluster.programs import Run, or_else

IMAGE = "docker.io/library/registry:3"
NETWORK = "kind"
"""The Docker network of all clusters of kind."""


class Docker:
    """What Docker has. Raises ProgramFailed when it does not answer."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What `docker` prints."""
        return self._run(["docker", *arguments], stdin=stdin)

    def has(self, container: str) -> bool:
        """Whether there is such a container, running or not."""
        return self.runs(container, "--all")

    def runs(self, container: str, *options: str) -> bool:
        """Whether it runs, and is listed with these options of `docker ps`."""
        return (
            container in self("ps", *options, f"--filter=name=^{container}$", "--format={{.Names}}").split()
        )


class Registry:
    """The container `modelyard-registry`."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def start(self) -> None:
        """The registry runs after this, with what it held if it was only stopped."""
        if self._docker.runs(REGISTRY):
            return
        if self._docker.has(REGISTRY):
            self._docker("start", REGISTRY)
            return
        with or_else(f"see that `docker pull {IMAGE}` works, then `make cluster`"):
            published = f"--publish=127.0.0.1::{REGISTRY_PORT}"
            self._docker("run", "--detach", f"--name={REGISTRY}", published, IMAGE)

    def remove(self) -> None:
        """With all that it holds; does nothing when there is none."""
        if self._docker.has(REGISTRY):
            self._docker("rm", "--force", "--volumes", REGISTRY)

    def lead(self, nodes: Iterable[str]) -> None:
        """These nodes find the registry after this, and speak plain HTTP to it."""
        if not self._docker.runs(REGISTRY, f"--filter=network={NETWORK}"):
            self._docker("network", "connect", NETWORK, REGISTRY)
        for node in nodes:
            self._docker("exec", node, "mkdir", "-p", HOSTS)
            copy = ("cp", "/dev/stdin", f"{HOSTS}/hosts.toml")
            self._docker("exec", "--interactive", node, *copy, stdin=hosts_file())

    @or_else("`make cluster` starts it")
    def published(self) -> str:
        """host:port of this machine where the registry answers."""
        return self._docker("port", REGISTRY, f"{REGISTRY_PORT}/tcp").split()[0]
