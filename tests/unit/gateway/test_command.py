"""`modelyard gateway` as a command: its options, what it refuses, and its life as a process."""

from __future__ import annotations

import http.client
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import modelyard
from modelyard.cli.gateway import main
from modelyard.cli.gateway_options import parser, settings_of
from modelyard.gateway.settings import Settings
from modelyard.http1.exchange import Limits
from modelyard.http1.host import bound

ROUTES = {
    "models": [
        {
            "name": "flats",
            "target": {"type": "Regression", "name": "price"},
            "versions": [{"label": "1", "pods": ["127.0.0.1:9"]}],
        }
    ]
}


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    """A file of routes."""
    path = tmp_path / "routes.yaml"
    path.write_text(json.dumps(ROUTES))
    return path


def test_without_options_the_settings_are_the_defaults() -> None:
    assert settings_of(parser().parse_args([])) == Settings()


def test_each_limit_is_an_option() -> None:
    options = ["--max-body-bytes=1", "--head-timeout=0.5", "--whole-timeout=7", "--access-log-sample=1"]
    expected = Settings(Limits(body_bytes=1, head_seconds=0.5), whole_seconds=7.0, access_log_sample=1.0)
    assert settings_of(parser().parse_args(options)) == expected


@pytest.mark.parametrize(
    "option",
    [
        "--port=70000",
        "--port=x",
        "--workers=-1",
        "--max-body-bytes=0",
        "--head-timeout=0",
        "--idle-timeout=nan",
        "--whole-timeout=-1",
        "--access-log-sample=2",
        "--grace=x",
    ],
)
def test_an_option_out_of_bounds_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args([option])
    assert stopped.value.code == 2
    assert "must be" in capsys.readouterr().err


def test_a_body_that_could_never_be_held_is_refused_at_start(
    routes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--routes={routes}", "--max-held-bytes=1000", "--max-body-bytes=1001"]) == 2
    assert capsys.readouterr().err == (
        "modelyard gateway: --max-held-bytes (1000) is below --max-body-bytes (1001): "
        "a body of that size would never be taken\n"
    )
    least = parser().parse_args(["--max-held-bytes=1001", "--max-body-bytes=1001"])
    assert settings_of(least).limits.held_bytes == 1001


def test_the_help_tells_each_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--max-body-bytes N body, as sent and as unfolded; 413 (default: 67108864)" in text
    assert "--drain-delay N" in text


def test_it_says_in_one_line_why_it_cannot_start(
    routes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("models: 5")
    with bound("127.0.0.1", 0, shared=False) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        here = [f"--routes={routes}", "--host=127.0.0.1"]
        cases = {
            "models": [f"--routes={broken}"],
            f"port {port}: Address already in use": [*here, f"--port={port}"],
            f"admin port {port}: Address already in use": [*here, "--port=0", f"--admin-port={port}"],
            "no such host": [f"--routes={routes}", "--host=no.such.host.invalid", "--port=0"],
        }
        for said, arguments in cases.items():
            assert main(arguments) == 2
            error = capsys.readouterr().err
            assert error.startswith("modelyard gateway: ")
            assert error.count("\n") == 1
            assert said in error or said == "no such host"


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGINT, 1), pytest.param(signal.SIGTERM, 2, marks=pytest.mark.thorough)],
    ids=["alone", "with workers"],
)
def test_it_answers_until_a_signal_and_ends_in_order(
    routes: Path, number: signal.Signals, workers: int
) -> None:
    command = [
        *("sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh", sys.executable, "-c"),
        "from modelyard.cli.main import main; raise SystemExit(main())",
        "gateway",
    ]
    options = [f"--routes={routes}", "--host=127.0.0.1", "--port=0", "--admin-port=0", f"--workers={workers}"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        lines = (json.loads(line) for line in process.stderr)
        listens = next(line for line in lines if line["message"] == "The gateway listens")
        for _ in range(workers):
            next(line for line in lines if line["message"] == "Routes read")
        _gets(listens["admin_port"], "/readyz")
        _gets(listens["port"], "/v2/models/flats/ready")
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        assert soft == hard, "it lets itself open all files that it may"
        assert json.loads(_answered(listens["port"], "/v2")[1])["version"] == modelyard.__version__
        process.send_signal(number)
        assert process.wait(10) == 0
        process.stderr.read()


def _gets(port: int, path: str) -> None:
    """Ask until it is well: a worker listens a moment after it has read its routes."""
    until = time.monotonic() + 5
    while (status := _get(port, path)) != 200:
        assert time.monotonic() < until, status
        time.sleep(0.01)


def _get(port: int, path: str) -> int:
    return _answered(port, path)[0]


def _answered(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_file_of_routes_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--routes=nofile.yaml"]) == 2
    assert capsys.readouterr().err == (
        "modelyard gateway: nofile.yaml cannot be read: No such file or directory\n"
    )


def test_outside_a_pod_it_names_both_places_that_routes_come_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert main([]) == 2
    assert capsys.readouterr().err == (
        "modelyard gateway: not in a pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig, or --routes\n"
    )
