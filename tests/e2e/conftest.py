"""What every test here stands on: a cluster, and the operator installed by the chart as users install it."""

from __future__ import annotations

import pytest

from scripts import demo, install
from tests.cluster.fixtures import cluster, kubectl, namespace, python_image
from tests.cluster.progress import Progress
from tests.cluster.provider import Provider

__all__ = ["cluster", "kubectl", "namespace", "python_image"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last: looks at what the whole run did, after everything else")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back comes last; the order of the others stays."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def operator(cluster: Provider) -> str:
    """The operator of this checkout runs in the cluster; the reference of its image."""
    return install.install(cluster, Progress())


@pytest.fixture(scope="session")
def example_image(cluster: Provider) -> str:
    """Pods find the image that the examples name; the reference as the examples write it."""
    demo.push_environment(cluster, Progress())
    return ":".join(demo.PYTHON_IMAGE)
