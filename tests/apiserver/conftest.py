"""One API server for all tests here, with our kinds; each test has a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.apiserver.server import ApiServer, our_crds, running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server that serves our kinds."""
    with running(tmp_path_factory.mktemp("apiserver")) as started:
        started.install(*our_crds())
        yield started


@pytest.fixture
def namespace(server: ApiServer) -> str:
    """A new namespace."""
    name = f"test-{next(_numbers)}"
    answer = server.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert answer.status == 201, answer.message
    return name
