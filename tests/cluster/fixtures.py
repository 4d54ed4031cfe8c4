"""Fixtures that need a cluster; a conftest.py that wants them imports them by name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster import images
from tests.cluster.kubectl import Kubectl
from tests.cluster.progress import Progress
from tests.cluster.provider import Capability, Provider, choose

__all__ = ["cluster", "kubectl", "namespace", "needs", "new_namespace", "python_image"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Provider]:
    """The cluster of this test run: one that was running stays, one that was started here is taken away."""
    provider = choose()
    found = provider.is_running()
    provider.up()
    yield provider
    if not found:
        provider.down()


@pytest.fixture(scope="session")
def kubectl(cluster: Provider) -> Kubectl:
    """kubectl as the cluster's administrator."""
    return Kubectl(cluster.kubeconfig())


@pytest.fixture(scope="session")
def python_image(cluster: Provider) -> str:
    """The reference of an image with `python3` that pods can run."""
    return images.push_python(cluster, Progress())


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of its own for one test."""
    with new_namespace(kubectl) as name:
        yield name


def needs(cluster: Provider, *capabilities: Capability) -> None:
    """Skip the test on a cluster that cannot do all of this."""
    lacking = sorted(set(capabilities) - cluster.capabilities)
    if lacking:
        pytest.skip(f"a cluster of provider {cluster.name!r} has no {', '.join(lacking)}")


@contextmanager
def new_namespace(kubectl: Kubectl, prefix: str = "test") -> Iterator[str]:
    """A namespace that no test had before; it is deleted when this ends."""
    name = f"{prefix}-{secrets.token_hex(4)}"
    kubectl.run("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl.run("delete", "namespace", name, "--wait=false")
