"""The same passes and stories against an API server in memory and against a real one.

    from tests.support.backends import backend, pytest_generate_tests

in a folder's conftest runs each of its tests twice, as `test[memory]` and as `test[apiserver]`. A test that
cannot run on a real one says why, and the run's summary repeats it:

    @pytest.mark.memory_only("it needs thousands of copies of a world")
"""

from __future__ import annotations

import pytest

from tests.support.connection import Connection
from tests.support.fake_api import FakeApi
from tests.support.real_api import RealApi
from tests.support.world import World

MEMORY = pytest.param("memory", marks=pytest.mark.memory)
APISERVER = pytest.param("apiserver", marks=pytest.mark.apiserver)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test on each backend that it can run on."""
    alone = metafunc.definition.get_closest_marker("memory_only")
    metafunc.parametrize("backend", [MEMORY] if alone else [MEMORY, APISERVER], indirect=True)


@pytest.fixture(autouse=True)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stands behind every world of this test."""
    name = str(request.param)
    if name == "apiserver":
        connection: Connection = request.getfixturevalue("connection")
        monkeypatch.setattr(World, "make_api", lambda now, turn: RealApi(now, turn, connection))
    else:
        monkeypatch.setattr(World, "make_api", FakeApi)
    return name
