"""`modelyard health` as `helm test` runs it: against real probes, and an API server with and without our kinds."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from modelyard.cli.health import kind_problems, main
from modelyard.handlers.health import Check, Health, HealthServer
from modelyard.handlers.metrics import Metrics
from modelyard.kube.access import from_kubeconfig
from tests.apiserver.server import ApiServer, running
from tests.cluster.waiting import until

NO_PATIENCE = "--patience=0"


@contextmanager
def operator(*ready: Check) -> Iterator[str]:
    """The operator's probes, with these checks for its readiness; their URL."""
    loop = asyncio.new_event_loop()
    server = HealthServer(Health([], ready, Metrics()), port=0, host="127.0.0.1")
    port = loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def knowing(server: ApiServer) -> ApiServer:
    """The API server, once it publishes our kinds, which it does some time after it serves them."""

    def told() -> bool:
        return not asyncio.run(kind_problems(from_kubeconfig(server.kubeconfig)))

    until("our kinds are published", told)
    return server


def health(server: ApiServer, url: str, *more: str) -> int:
    return main([f"--url={url}", f"--kubeconfig={server.kubeconfig}", *more])


def test_all_is_well(knowing: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    with operator() as url:
        assert health(knowing, url, NO_PATIENCE) == 0

    said = capsys.readouterr()
    assert said.out == f"{url} is live and ready; the cluster serves all 6 kinds as it knows them.\n"
    assert said.err == ""


def test_an_operator_that_is_down_is_named(knowing: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    assert health(knowing, url, NO_PATIENCE) == 1

    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        f"{url}/{path}" for path in ("healthz", "readyz", "metrics")
    ]
    assert all(
        "does not answer" in line and line.endswith("look at the operator's pod and its log.")
        for line in lines
    )


def test_an_operator_that_is_not_ready_says_why(
    knowing: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with operator(lambda: "Deployments were not listed yet") as url:
        assert health(knowing, url, NO_PATIENCE) == 1

    assert capsys.readouterr().err == f"{url}/readyz answers 503: Deployments were not listed yet\n"


def test_an_operator_that_starts_is_waited_for(knowing: ApiServer) -> None:
    asked: list[int] = []

    def still_starting() -> str | None:
        asked.append(1)
        return "still starting" if len(asked) == 1 else None

    with operator(still_starting) as url:
        assert health(knowing, url, "--patience=20") == 0
    assert len(asked) == 2


def test_a_cluster_without_our_kinds_is_found_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("bare")) as bare:
        (problem,) = asyncio.run(kind_problems(from_kubeconfig(bare.kubeconfig)))

    assert problem == (
        "The cluster's CRDs lack ExecutionEnvironment, ExecutionEnvironmentVersion, CustomModel, CustomModelVersion, "
        "ModelTest and 1 more: they are older than the operator. Upgrade the release with crds.enabled=true, or apply "
        "the chart's CRDs."
    )


def test_outside_a_cluster_it_asks_for_a_kubeconfig(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert main(["--url=http://127.0.0.1:1"]) == 2
    assert "give --kubeconfig" in capsys.readouterr().err
