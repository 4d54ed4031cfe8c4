"""`modelyard operator` as a process: starts, is probed, works, and ends when told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelyard.api.kinds import EXECUTION_ENVIRONMENT
from tests.apiserver.server import ApiServer
from tests.cluster.waiting import until

COMMAND = (
    sys.executable,
    "-c",
    "import sys; from modelyard.cli.main import main; sys.exit(main())",
    "operator",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def probe(port: int, path: str) -> int:
    """The status of a probe; 0 when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@contextmanager
def operator(server: ApiServer, namespace: str, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The operator over one namespace, once it is ready."""
    port = free_port()
    environ = {**os.environ, "MODELYARD_PORT": str(port), "PYTHONPATH": "operator"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "--kubeconfig", str(server.kubeconfig), "--namespace", namespace],
            env=environ,
            stderr=output,
        )
    try:
        until("the operator is ready", lambda: probe(port, "/readyz") == 200, timeout=30)
        yield process, port
    finally:
        process.kill()
        process.wait()


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order_when_told_to(
    server: ApiServer, namespace: str, tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "log"
    with operator(server, namespace, log) as (process, port):
        assert probe(port, "/healthz") == 200
        assert probe(port, "/metrics") == 200
        process.send_signal(number)

        assert process.wait(timeout=20) == 0

    assert [line["message"] for line in lines(log)] == ["All kinds are listed", "Stopping", "Stopped"]


def test_it_works_and_after_a_restart_it_writes_nothing(
    server: ApiServer, namespace: str, tmp_path: Path
) -> None:
    path = EXECUTION_ENVIRONMENT.path(namespace, "python")
    body = {
        "apiVersion": EXECUTION_ENVIRONMENT.api_version,
        "kind": EXECUTION_ENVIRONMENT.name,
        "metadata": {"name": "python"},
        "spec": {"image": f"127.0.0.1:{free_port()}/envs/python@sha256:{'a' * 64}"},
    }
    assert server.request("POST", EXECUTION_ENVIRONMENT.path(namespace), body).status == 201

    def is_ready() -> bool:
        conditions = server.request("GET", path).body.get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    with operator(server, namespace, tmp_path / "first"):
        until("the environment is ready", is_ready, timeout=30)
    before = server.request("GET", path).body
    with operator(server, namespace, tmp_path / "second") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0

    wrote = [line for line in lines(tmp_path / "first") if line["message"] == "Wrote"]
    assert wrote
    assert all(line["namespace"] == namespace and line["name"] and line["kind"] for line in wrote)
    assert not [line for line in lines(tmp_path / "second") if line["message"] == "Wrote"]
    assert server.request("GET", path).body == before


def test_a_port_that_is_taken_is_said_in_one_line(server: ApiServer, namespace: str) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = subprocess.run(
            [*COMMAND, "--kubeconfig", str(server.kubeconfig)],
            env={**os.environ, "MODELYARD_PORT": str(port), "PYTHONPATH": "operator"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].startswith(f"modelyard operator: port {port}: ")
    assert "Traceback" not in run.stderr
