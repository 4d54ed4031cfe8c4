"""`modelyard check --url` in a process of its own: whom it trusts over https, and how it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.models.process import FOLDER

TLS = Path(__file__).parents[1] / "support" / "tls"
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from modelyard.cli.main import main; sys.exit(main(sys.argv[1:]))",
]
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


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Data of one row."""
    path = tmp_path / "rows.json"
    path.write_text('{"a": [1]}')
    return path


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
