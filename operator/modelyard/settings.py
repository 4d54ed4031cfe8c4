"""What an administrator sets for one operator; read from the environment once, at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen settings. Each field is the variable MODELYARD_<FIELD> in the operator's environment."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to watch; empty = the whole cluster."""

    image: str = "modelyard:dev"
    """The operator's own image: the runner of test Jobs."""

    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    """Names of pull secrets for `image` in the namespaces of models."""

    cluster_domain: str = "cluster.local"

    dns_namespace: str = "kube-system"
    dns_pod_labels: tuple[tuple[str, str], ...] = (("k8s-app", "kube-dns"),)
    dns_port: int = 53

    private_cidrs: tuple[str, ...] = (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
    """What PUBLIC egress never reaches: private, link-local, CGNAT and metadata addresses."""

    cluster_cidrs: tuple[str, ...] = ()
    """The cluster's own ranges (pods, Services, nodes) where they lie outside `private_cidrs`."""

    run_as_user: int | None = 65532
    """uid, gid and fsGroup of every pod of ours; None leaves the choice to the cluster (OpenShift)."""

    cpu_limit: str = ""
    """CPU limit of model containers; empty = none (a request only)."""

    insecure_registries: tuple[str, ...] = ()
    """host:port of registries that speak plain HTTP."""

    port: int = 8080
    """Where /healthz, /readyz and /metrics answer."""

    concurrency: int = 16
    """How many passes run at once."""


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from MODELYARD_* variables; ValueError names the variable and what it should be."""
    raise NotImplementedError
