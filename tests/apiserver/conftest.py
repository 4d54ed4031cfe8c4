"""Each test here has a namespace of its own on the one API server."""

from __future__ import annotations

import itertools

import pytest

from tests.apiserver.server import ApiServer

_numbers = itertools.count(1)


@pytest.fixture
def namespace(server: ApiServer) -> str:
    """A new namespace."""
    name = f"test-{next(_numbers)}"
    answer = server.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert answer.status == 201, answer.message
    return name
