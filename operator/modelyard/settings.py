"""What an administrator sets for one operator; read from the environment once, at start."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from modelyard.api.quantities import is_quantity, parse_quantity


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

    gateway_namespace: str = ""
    """Where the gateway's pods run, which may call every model that names no callers; empty = there is none."""

    run_as_user: int | None = 65532
    """uid, gid and fsGroup of every pod of ours; None leaves the choice to the cluster (OpenShift)."""

    cpu_limit: str = ""
    """CPU limit of the containers of models and tests; empty = none (a request only)."""

    insecure_registries: tuple[str, ...] = ()
    """host:port of registries that speak plain HTTP."""

    port: int = 8080
    """Where /healthz, /readyz and /metrics answer."""

    concurrency: int = 16
    """How many passes run at once."""


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from MODELYARD_* variables; ValueError names the variable and what it should be.

    Lists are separated by commas, pairs are written key=value. Of optional settings an empty variable means
    none; of the others, as with a variable that is not set, the default.
    """
    given: dict[str, Any] = {}
    for field in fields(Settings):
        variable = f"{_PREFIX}{field.name.upper()}"
        text = environ.get(variable)
        if text is None or (text == "" and field.name not in _EMPTY_MEANS_NONE):
            continue
        try:
            given[field.name] = _PARSERS.get(field.name, str)(text)
        except ValueError as error:
            raise ValueError(f"{variable} {error}, not {text!r}") from None
    return Settings(**given)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in _list(text)]
    if not all(key and equals for key, equals, _ in pairs):
        raise ValueError("must be key=value pairs separated by commas")
    return tuple((key.strip(), value.strip()) for key, _, value in pairs)


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(part)) for part in _list(text))
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, separated by commas") from None


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise ValueError(f"must be a number from {lowest} to {highest}")
        return int(text)

    return parse


def _optional_user(text: str) -> int | None:
    return _number(1, 2**31 - 1)(text) if text else None


def _pull_policy(text: str) -> str:
    if text not in _PULL_POLICIES:
        raise ValueError(f"must be one of {', '.join(_PULL_POLICIES)}")
    return text


def _cpu(text: str) -> str:
    if not is_quantity(text) or parse_quantity(text) <= 0:
        raise ValueError("must be a quantity of cpu such as 500m or 2")
    return text


_PREFIX = "MODELYARD_"
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_EMPTY_MEANS_NONE = frozenset({"run_as_user", "private_cidrs", "dns_pod_labels"})
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "namespaces": _list,
    "image_pull_policy": _pull_policy,
    "image_pull_secrets": _list,
    "dns_pod_labels": _pairs,
    "dns_port": _number(1, 65535),
    "private_cidrs": _networks,
    "cluster_cidrs": _networks,
    "run_as_user": _optional_user,
    "cpu_limit": _cpu,
    "insecure_registries": _list,
    "port": _number(1, 65535),
    "concurrency": _number(1, 256),
}
