"""The ground that everything stands on: does the cluster do what Kubernetes promises?"""

from __future__ import annotations

import pytest

from tests.cluster.fixtures import cluster as any_cluster
from tests.cluster.fixtures import kubectl, namespace, needs, python_image
from tests.cluster.provider import Capability, Provider

__all__ = ["any_cluster", "kubectl", "namespace", "python_image"]


@pytest.fixture(scope="session")
def cluster(any_cluster: Provider) -> Provider:
    """A cluster that can do everything: the ground is asked on the local one."""
    needs(any_cluster, *Capability)
    return any_cluster


@pytest.fixture(scope="session")
def nodes(cluster: Provider) -> tuple[str, str]:
    """The names of two nodes: the first and the last, however many there are."""
    first, *_, last = sorted(cluster.nodes())
    return first, last


@pytest.fixture(scope="session")
def internet(cluster: Provider) -> str:
    """The address of the pretended internet."""
    assert cluster.internet is not None, "the ground needs a cluster with a pretended internet"
    return cluster.internet.address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that start and stop clusters run while none is up: before all that use one."""
    items.sort(key=lambda item: item.get_closest_marker("lifecycle") is None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lifecycle: starts and stops clusters of its own")
