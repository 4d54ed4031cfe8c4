"""Options of the whole suite, and the API server that tests share."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver.server import ApiServer, our_crds, running
from tests.support.connection import Connection

MARKERS = (
    "memory: runs against the API server in memory; given by tests.support.backends",
    "apiserver: the same test against a real API server; given by tests.support.backends",
    "thorough: takes longer than the fast layer may; it runs with the apiserver layer",
    "memory_only(reason): a pass or story that cannot run against a real API server, and why",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites what stories are compared with; the diff is then the review."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """Markers that tests may carry."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember which tests run in memory only; and let the garbage collector pass by all that was imported."""
    gc.freeze()
    alone = session.config.stash.setdefault(_ALONE, {})
    for item in session.items:
        marker = item.get_closest_marker("memory_only")
        if marker:
            alone[item.nodeid] = str(marker.args[0])
    if isinstance(output := getattr(session.config, "workeroutput", None), dict):  # one worker of several
        output["alone"] = alone


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker remembered, for the summary of all."""
    node.config.stash.setdefault(_ALONE, {}).update(getattr(node, "workeroutput", {}).get("alone", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that a real API server does not see, with the reason of each."""
    alone = config.stash.get(_ALONE, {})
    if alone:
        terminalreporter.section("in memory only")
    for name, reason in alone.items():
        terminalreporter.line(f"{name}: {reason}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server that serves our kinds; one for all tests of a run, or of each worker of a run."""
    with running(tmp_path_factory.mktemp("apiserver")) as started:
        started.install(*our_crds())
        yield started


@pytest.fixture(scope="session")
def connection(server: ApiServer) -> Iterator[Connection]:
    """To that API server, for worlds that stand on it."""
    opened = Connection(server)
    yield opened
    opened.close()


_ALONE = pytest.StashKey[dict[str, str]]()
