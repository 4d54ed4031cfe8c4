"""Settings from the environment: each variable, and what is said about one that cannot be used."""

from __future__ import annotations

from dataclasses import fields

import pytest

from modelyard.settings import Settings, from_environ


def test_without_variables_everything_is_as_declared() -> None:
    assert from_environ({}) == Settings()


def test_every_variable_is_read() -> None:
    environ = {
        "MODELYARD_NAMESPACES": "team-a, team-b",
        "MODELYARD_IMAGE": "registry:5000/modelyard@sha256:1",
        "MODELYARD_IMAGE_PULL_POLICY": "Always",
        "MODELYARD_IMAGE_PULL_SECRETS": "pull",
        "MODELYARD_CLUSTER_DOMAIN": "k8s.example",
        "MODELYARD_DNS_NAMESPACE": "dns",
        "MODELYARD_DNS_POD_LABELS": "app=dns,tier=a=b",
        "MODELYARD_DNS_PORT": "5353",
        "MODELYARD_PRIVATE_CIDRS": "10.0.0.0/8,fd00::/8",
        "MODELYARD_CLUSTER_CIDRS": "192.0.2.0/24",
        "MODELYARD_GATEWAY_NAMESPACE": "modelyard-system",
        "MODELYARD_RUN_AS_USER": "1000",
        "MODELYARD_CPU_LIMIT": "500m",
        "MODELYARD_INSECURE_REGISTRIES": "registry:5000",
        "MODELYARD_PORT": "9090",
        "MODELYARD_CONCURRENCY": "4",
    }

    assert {f"MODELYARD_{field.name.upper()}" for field in fields(Settings)} == environ.keys()
    assert from_environ(environ) == Settings(
        namespaces=("team-a", "team-b"),
        image="registry:5000/modelyard@sha256:1",
        image_pull_policy="Always",
        image_pull_secrets=("pull",),
        cluster_domain="k8s.example",
        dns_namespace="dns",
        dns_pod_labels=(("app", "dns"), ("tier", "a=b")),
        dns_port=5353,
        private_cidrs=("10.0.0.0/8", "fd00::/8"),
        cluster_cidrs=("192.0.2.0/24",),
        gateway_namespace="modelyard-system",
        run_as_user=1000,
        cpu_limit="500m",
        insecure_registries=("registry:5000",),
        port=9090,
        concurrency=4,
    )


def test_an_empty_variable_means_the_default_or_none_where_none_is_a_choice() -> None:
    environ = {f"MODELYARD_{field.name.upper()}": "" for field in fields(Settings)}

    assert from_environ(environ) == Settings(run_as_user=None, private_cidrs=(), dns_pod_labels=())


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "tcp://10.96.0.1:80", "must be a number from 1 to 65535, not 'tcp://10.96.0.1:80'"),
        ("PORT", "65536", "must be a number from 1 to 65535"),
        ("CONCURRENCY", "0", "must be a number from 1 to 256"),
        ("DNS_PORT", "-1", "must be a number"),
        ("RUN_AS_USER", "0", "must be a number from 1"),
        ("RUN_AS_USER", "root", "must be a number from 1"),
        ("IMAGE_PULL_POLICY", "always", "must be one of Always, IfNotPresent, Never, not 'always'"),
        ("PRIVATE_CIDRS", "10.0.0.0/33", "must be networks such as 10.0.0.0/8"),
        ("CLUSTER_CIDRS", "10.0.0.1/8", "must be networks such as 10.0.0.0/8"),
        ("DNS_POD_LABELS", "k8s-app", "must be key=value pairs"),
        ("DNS_POD_LABELS", "=x", "must be key=value pairs"),
        ("CPU_LIMIT", "lots", "must be a quantity of cpu such as 500m or 2"),
        ("CPU_LIMIT", "0", "must be a quantity of cpu such as 500m or 2"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^MODELYARD_{variable} {message}"):
        from_environ({f"MODELYARD_{variable}": value})


def test_other_variables_do_not_matter() -> None:
    assert from_environ({"MODELYARD_SERVICE_HOST": "10.96.0.7", "PORT": "x"}) == Settings()
