"""The client of the e2e tests says what became of each request, and counts one that was lost as lost."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.steady import STEADY

_ANSWER = json.dumps({"model_version": "1.0", "outputs": [{"data": [1.0]}]}).encode()


def answer(connection: socket.socket, header: bytes = b"") -> None:
    """Read a request, and answer it."""
    assert read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (header, len(_ANSWER), _ANSWER))


def read(connection: socket.socket) -> bytes:
    """A whole request; empty when there is none."""
    received = b""
    while not received.endswith(b"]}]}") and (piece := connection.recv(4096)):
        received += piece
    return received


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        found.settimeout(10)
        yield found


def heard(listener: socket.socket, count: int) -> list[object]:
    """So many lines of the client, its first answer aside, which it does not print."""
    command = [sys.executable, "-S", "-c", STEADY, f"127.0.0.1:{listener.getsockname()[1]}", "/infer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(count)]
        process.kill()
        return lines


def test_a_request_on_a_kept_connection_that_breaks_is_lost(listener: socket.socket) -> None:
    def serve() -> None:
        with listener.accept()[0] as connection:
            answer(connection)
            answer(connection)
            assert read(connection)
        with listener.accept()[0] as connection:
            answer(connection)

    server = threading.Thread(target=serve)
    server.start()
    lines = heard(listener, 3)
    server.join()

    assert lines[0] == lines[2] == [200, "1.0", "1.0"]
    assert lines[1] == [0, "", "RemoteDisconnected('Remote end closed connection without response')"]


def test_a_connection_that_it_was_told_of_the_end_of_is_another_one_next_time(
    listener: socket.socket,
) -> None:
    def serve() -> None:
        for _ in range(3):
            with listener.accept()[0] as connection:
                answer(connection, b"Connection: close\r\n")

    server = threading.Thread(target=serve)
    server.start()
    lines = heard(listener, 2)
    server.join()

    assert lines == [[200, "1.0", "1.0"]] * 2
