"""A pod that closes a connection while a request is on its way to it: whether that is sent again."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateway.conftest import ECHO_SPEC
from tests.gateway.running import Gateway, absent, column, gateway, write_routes
from tests.gateway.servers import ECHO, Server

REQUESTS = 10


class Tired:
    """A model's server that answers one request of each connection. When the next has come it closes, having read it
    or not. What it reads of such a request is remembered."""

    def __init__(self, listener: socket.socket, *, reads: bool) -> None:
        self.address = "{}:{}".format(*listener.getsockname())
        self.answered = 0
        self.read: list[bytes] = []
        self._listener, self._reads = listener, reads

    def run(self) -> None:
        """Until the listener is shut."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if not _request(connection):
            return
        body = json.dumps({"predictions": [1.5]}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.answered += 1
        select.select([connection], [], [], 10)
        if self._reads:
            self.read.append(_request(connection))
        connection.shutdown(socket.SHUT_WR)


def _request(connection: socket.socket) -> bytes:
    """A whole request, or what came of one."""
    came = b""
    while not came.endswith(b"}") and (part := connection.recv(65536)):
        came += part
    return came


@contextmanager
def tired(folder: Path, *, reads: bool) -> Iterator[tuple[Tired, Gateway]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Tired(listener, reads=reads)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            write_routes(folder / "routes.json", [absent(Server(ECHO, "echo", ECHO_SPEC), server.address)])
            with gateway(folder / "routes.json") as front:
                yield server, front
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def statuses(front: Gateway) -> list[int]:
    return [front.infer("echo", column("value", [1.0])).status for _ in range(REQUESTS)]


def test_a_request_that_a_pod_did_not_read_before_it_closed_is_sent_again(tmp_path: Path) -> None:
    with tired(tmp_path, reads=False) as (server, front):
        assert statuses(front) == [200] * REQUESTS

    assert server.answered == REQUESTS


def test_a_request_that_a_pod_read_is_never_sent_again(tmp_path: Path) -> None:
    with tired(tmp_path, reads=True) as (server, front):
        assert statuses(front) == [200, 503] * (REQUESTS // 2)

    assert server.answered == REQUESTS // 2
    assert sum(bool(one) for one in server.read) >= REQUESTS // 2


@pytest.mark.parametrize("times", [1])
def test_a_connection_that_is_closed_before_it_carried_anything_is_made_again(
    tmp_path: Path, times: int
) -> None:
    """As a server does that has just been told to end, or that thinks it has too many."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        write_routes(
            tmp_path / "routes.json",
            [absent(Server(ECHO, "echo", ECHO_SPEC), "{}:{}".format(*listener.getsockname()))],
        )
        server = Tired(listener, reads=False)

        def run() -> None:
            for _ in range(times):
                listener.accept()[0].close()
            server.run()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            with gateway(tmp_path / "routes.json") as front:
                assert front.infer("echo", column("value", [1.0])).status == 200
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
