from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import ThreadingHTTPServer

import pytest

from tests.support.models.model_server import Model
from tests.support.models.process import Nursery, nursery

StartModel = Callable[..., str]
ServeModel = Callable[[type[Model]], str]

PREFIX = "/models/team/hello"


@pytest.fixture(scope="session")
def models() -> Iterator[Nursery]:
    with nursery() as opened:
        yield opened


@pytest.fixture
def start_model(models: Nursery) -> Iterator[StartModel]:
    """Starts `tests/support/models/<name>.py` as a process and gives its address."""
    yield models
    models.clear()


@pytest.fixture
def serve_model() -> Iterator[ServeModel]:
    """Serves a model that a test defines, here in a thread, under PREFIX, and gives its address."""
    with ExitStack() as stack:

        def serve(model: type[Model]) -> str:
            under_prefix = type("UnderPrefix", (model,), {"prefix": PREFIX})
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), under_prefix))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
            return f"127.0.0.1:{server.server_port}"

        yield serve
