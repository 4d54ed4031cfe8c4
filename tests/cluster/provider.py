"""What the tests, the demo and `make install` know of a cluster: this interface, never which one runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tests.cluster.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[2]
KUBECONFIG = CHECKOUT / ".cluster" / "kubeconfig"
OLDEST = (1, 33)
"""The oldest Kubernetes that Modelyard runs on."""


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
        """What starts the names of images pushed here, as nodes write it: host:port, maybe with a path; empty
        without a registry."""

    @property
    def speaks_plain_http(self) -> bool:
        """Whether that registry has no TLS."""

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
    """The provider that CLUSTER names: `existing`, `kind` or `local`. Without it, a cluster whose context is named by
    CLUSTER_CONTEXT, else kind where it and Docker are there, else a local one. Raises ClusterUnavailable."""
    from tests.cluster import kind
    from tests.cluster.existing import ExistingProvider
    from tests.cluster.local.provider import LocalProvider

    progress, nodes = progress or Progress(), environ.get("NODES", "")
    context, registry = environ.get("CLUSTER_CONTEXT", ""), environ.get("CLUSTER_REGISTRY", "")
    match environ.get("CLUSTER", "") or automatic(context, kind.is_there):
        case "existing" if not context:
            raise ClusterUnavailable(
                "CLUSTER=existing needs CLUSTER_CONTEXT=<a context of your kubeconfig>: no cluster is hit by accident."
            )
        case "existing":
            return ExistingProvider(KUBECONFIG, progress, context, registry)
        case "kind":
            if lacking := kind.missing():
                raise ClusterUnavailable(lacking)
            return kind.KindProvider(KUBECONFIG, progress, nodes)
        case "local":
            return LocalProvider(KUBECONFIG, progress, nodes)
        case other:
            raise ClusterUnavailable(f"CLUSTER={other} is none of existing, kind, local.")


def automatic(context: str, has_kind: Callable[[], bool]) -> str:
    """Which provider is taken when CLUSTER says nothing: the user's own cluster first, as they asked for it."""
    if context:
        return "existing"
    return "kind" if has_kind() else "local"
