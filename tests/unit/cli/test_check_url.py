"""`modelyard check --url`: the same checks against any address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.cli import main as cli
from modelyard.cli.check_url import Target, main, parse_url
from tests.support.models.process import FOLDER, nursery
from tests.unit.checks.conftest import StartModel
from tests.unit.cli.conftest import FAST

TLS = Path(__file__).parents[2] / "support" / "tls"
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from modelyard.cli.main import main; sys.exit(main(sys.argv[1:]))",
]
PREFIX = "/models/team/hello"
TLS_MODEL = """
import ssl, sys
sys.path.insert(0, sys.argv[1])
from model_server import Model, serve
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
def secure(server):
    server.socket = context.wrap_socket(server.socket, server_side=True)
serve(Model, before=secure)
"""


@pytest.fixture(scope="module")
def start_model() -> Iterator[StartModel]:
    with nursery() as start:
        yield start


@pytest.fixture
def tls_model() -> Iterator[str]:
    """The address of a good model that speaks TLS, with a certificate that only who is told to trusts."""
    command = [sys.executable, "-c", TLS_MODEL, str(FOLDER), str(TLS / "server.pem")]
    environment = {**os.environ, "PORT": "0", "URL_PREFIX": "/x"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("model", "arguments", "code"),
    [
        ("good_regression", ["--strict"], 0),
        ("good_binary", ["--target-type=Binary", "--strict"], 0),
        ("good_binary", [], 1),
        ("raises_on_null", [], 0),
        ("raises_on_null", ["--strict"], 1),
        ("raises_on_null", ["--check=nullValueImputation=skip", "--strict"], 0),
        ("raises_on_null", ["--check=nullValueImputation=fail"], 1),
        ("strings", [], 1),
    ],
)
def test_the_exit_code_says_how_it_went(
    model: str, arguments: list[str], code: int, start_model: StartModel, rows: Path
) -> None:
    address = start_model(model, URL_PREFIX=PREFIX)

    assert main([f"--url=http://{address}{PREFIX}/", f"--data={rows}", *arguments], FAST) == code


def test_the_report_is_for_programs_where_asked(
    start_model: StartModel, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)

    main([f"--url=http://{address}{PREFIX}", f"--data={rows}", "--format=json", "--quiet"], FAST)

    printed = capsys.readouterr()
    assert printed.err == ""
    report = json.loads(printed.out)
    assert report["overallStatus"] == "succeeded"
    assert report["model"] == "hello"
    assert report["checks"][0]["name"] == "longRunningService"


def test_nobody_there_is_a_failure_that_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url=http://127.0.0.1:1/x", "--timeout=1"], FAST) == 1

    assert "connection refused" in capsys.readouterr().out


def test_https_is_spoken_with_whom_this_machine_trusts(tls_model: str, rows: Path) -> None:
    """A process of its own: certificates are read once, at its start."""
    code = (
        "import sys; from modelyard.cli.check_url import LIMITS, main; from dataclasses import replace;"
        "sys.exit(main(sys.argv[1:], replace(LIMITS, settle_seconds=0.1)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"--url=https://{tls_model}/x", f"--data={rows}", "--timeout=10"],
        env={**os.environ, "SSL_CERT_FILE": str(TLS / "certificate.pem")},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


def said_while_waiting(url: str, text: str) -> str:
    """The line with this text that is printed while the model does not get ready; then it is interrupted."""
    command = [*COMMAND, "check", f"--url={url}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            return next(line for line in process.stderr if text in line)
        finally:
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=20)
            assert process.returncode == 130, error


def test_https_with_a_stranger_says_so(tls_model: str) -> None:
    said = said_while_waiting(f"https://{tls_model}/x", "no TLS connection")

    assert "certificate" in said.partition("no TLS connection")[2]


def test_a_name_that_nobody_has_says_so() -> None:
    assert "absent.invalid:80: " in said_while_waiting("http://absent.invalid/x", "model absent")


@pytest.mark.parametrize(
    ("url", "address", "prefix"),
    [
        ("http://example.com", "example.com:80", ""),
        ("http://example.com/", "example.com:80", ""),
        ("https://example.com/a/b/", "https://example.com:443", "/a/b"),
        ("http://[::1]:8080/a", "[::1]:8080", "/a"),
        ("http://10.0.0.1:8080/a/predict_no_state/", "10.0.0.1:8080", "/a"),
        ("http://10.0.0.1:8080/a/predict_no_state", "10.0.0.1:8080", "/a"),
        ("http://x/a%20b", "x:80", "/a%20b"),
    ],
)
def test_a_url_is_an_address_and_a_prefix(url: str, address: str, prefix: str) -> None:
    assert parse_url(url) == Target(address, prefix)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("example.com/a", "must begin with http:// or https://"),
        ("ftp://example.com/a", "must begin with http:// or https://"),
        ("http:///a", "names no host"),
        ("http://me:secret@x/a", "must hold no user name or password"),
        ("http://x/a?b=1", "must end with the path below which the model answers: no ? and no #"),
        ("http://x:70000/", "Port out of range 0-65535"),
    ],
)
def test_what_is_no_url_of_a_model_exits_with_2(
    url: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--url={url}"], FAST) == 2

    assert capsys.readouterr().err == f"modelyard check: --url {url}: {problem}\n"


def test_with_a_plan_it_is_the_runner_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "--plan=x"])

    assert ended.value.code == 2
    assert "--termination" in capsys.readouterr().err
