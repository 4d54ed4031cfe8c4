"""What the tests, the demo and `make install` know of a cluster: this interface, never which one runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tests.cluster.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[2]
KUBECONFIG = CHECKOUT / ".cluster" / "kubeconfig"


class Capability(StrEnum):
    """What not every cluster can do; a test that needs one asks for it."""

    ADD_NODE = "add-node"
    STOP_NODE = "stop-node"
    INTERNET = "internet"
    NETWORK_POLICY = "network-policy"
    AUDIT_LOG = "audit-log"
    PUBLIC_NAMES = "public-names"
    """Images can be pushed under the name of a public registry, and pods find them there."""


@dataclass(frozen=True, slots=True)
class Internet:
    """A pretended internet: an HTTP server on port 80 outside every range of the cluster."""

    address: str
    name: str
    """Its name in the cluster's DNS."""
    body: str
    """What GET / answers."""


class ClusterUnavailable(Exception):
    """There is no such cluster, or it cannot do what was asked; one sentence that says what to do."""


class Provider(Protocol):
    """One cluster. Every method that acts blocks until it is done and raises ClusterUnavailable when it cannot."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def image_registry(self) -> str:
        """host:port that starts the names of images pushed here, as nodes write it."""

    @property
    def internet(self) -> Internet | None:
        """The pretended internet; None without one."""

    @property
    def audit_log(self) -> Path | None:
        """The API server's audit log, one JSON event a line; None when it cannot be read."""

    def is_running(self) -> bool:
        """Whether the cluster is there and well."""

    def describe(self) -> str:
        """How it is and what runs, in a few lines for people."""

    def up(self) -> None:
        """Start the cluster; does nothing but write the kubeconfig when it runs already."""

    def down(self) -> None:
        """Take the cluster away and leave nothing behind; does nothing when there is none."""

    def kubeconfig(self) -> Path:
        """A kubeconfig of an administrator with everything in it."""

    def nodes(self) -> list[str]:
        """Names of the nodes that run."""

    def add_node(self) -> str:
        """Add a node, wait until it is Ready; its name."""

    def stop_node(self, name: str) -> None:
        """Stop a node as if its power were cut; its Node object stays."""

    def push(self, archive: Path, name: str, tag: str) -> str:
        """Bring an image (OCI layout folder, OCI or docker archive) to where nodes pull from.

        `name` is a repository as `modelyard`, or one with its public registry as `docker.io/library/python`.
        Returns `<repository>:<tag>@<digest>`, which pods can use.
        """


def choose(environ: Mapping[str, str] = os.environ, progress: Progress | None = None) -> Provider:
    """The provider that CLUSTER names (`existing`, `kind` or `local`); `local` without one, which NODES is for."""
    name = environ.get("CLUSTER", "") or "local"
    if refused := refusal(name, environ.get("CLUSTER_CONTEXT", "")):
        raise ClusterUnavailable(refused)
    from tests.cluster.local.provider import LocalProvider

    return LocalProvider(KUBECONFIG, progress or Progress(), environ.get("NODES", ""))


def refusal(name: str, context: str) -> str | None:
    """Why the provider `name` cannot be used; None when it can."""
    if name == "local":
        return None
    if name == "existing" and not context:
        return "CLUSTER=existing needs CLUSTER_CONTEXT=<a context of your kubeconfig>: no cluster is hit by accident."
    if name in ("existing", "kind"):
        return f"CLUSTER={name} is not offered yet: unset CLUSTER, or set CLUSTER=local (root on Linux)."
    return f"CLUSTER={name} is none of existing, kind, local."
