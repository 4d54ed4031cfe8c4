"""A pod that closes a connection while a request is on its way to it: whether that is sent again."""

from __future__ import annotations

import http.client
import json
import select
import signal
import socket
import struct
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
    """A model's server that answers one request of each connection. When the next has come it closes: having read it
    or not, in order or by a reset. What it reads of such a request is remembered. If it is `early` it closes when it is
    told to, before the next has come."""

    def __init__(
        self, listener: socket.socket, *, reads: bool = False, resets: bool = False, early: bool = False
    ) -> None:
        self.address = "{}:{}".format(*listener.getsockname())
        self.answered = 0
        self.read: list[bytes] = []
        self.tired = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self._listener, self._reads, self._resets, self._early = listener, reads, resets, early

    def run(self) -> None:
        """Until the listener is shut."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._serve(connection)
            self.closed.release()

    def _serve(self, connection: socket.socket) -> None:
        if not _request(connection):
            return
        body = json.dumps({"predictions": [1.5]}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.answered += 1
        if self._early:
            self.tired.acquire(timeout=10)
        else:
            select.select([connection], [], [], 10)
        if self._reads:
            self.read.append(_request(connection))
        if self._resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)


def _request(connection: socket.socket) -> bytes:
    """A whole request, or what came of one."""
    came = b""
    while not came.endswith(b"}") and (part := connection.recv(65536)):
        came += part
    return came


@contextmanager
def tired(folder: Path, **how: bool) -> Iterator[tuple[Tired, Gateway]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Tired(listener, **how)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            write_routes(folder / "routes.json", [absent(Server(ECHO, "echo", ECHO_SPEC), server.address)])
            with gateway(folder / "routes.json") as front:
                yield server, front
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.tired.release()
            thread.join()


def statuses(front: Gateway) -> list[int]:
    return [front.infer("echo", column("value", [1.0])).status for _ in range(REQUESTS)]


def test_a_request_that_comes_when_a_pod_has_closed_is_sent_again(tmp_path: Path) -> None:
    """The gateway is halted while both happen, so that it sees the request before it can know of the end."""
    body = json.dumps({"inputs": [column("value", [1.0])]})
    with tired(tmp_path, early=True) as (server, front):
        client = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
        for _ in range(REQUESTS):
            client.request("POST", "/v2/models/echo/infer", body)
            answer = client.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)

            front.process.send_signal(signal.SIGSTOP)
            client.request("POST", "/v2/models/echo/infer", body)
            server.tired.release()
            assert server.closed.acquire(timeout=10)
            front.process.send_signal(signal.SIGCONT)
            answer = client.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)

            server.tired.release()
            assert server.closed.acquire(timeout=10)
        client.close()

    assert server.answered == 2 * REQUESTS


@pytest.mark.parametrize(
    "how",
    [{"reads": True}, {"reads": True, "resets": True}, {"reads": False}],
    ids=["read and ended", "read and reset", "not read"],
)
def test_a_request_that_a_pod_may_have_read_is_never_sent_again(tmp_path: Path, how: dict[str, bool]) -> None:
    """Of one that a pod's system took, and the pod did not read, nobody can tell."""
    with tired(tmp_path, **how) as (server, front):
        assert statuses(front) == [200, 503] * (REQUESTS // 2)

    assert server.answered == REQUESTS // 2
    assert sum(bool(one) for one in server.read) == (REQUESTS // 2 if how["reads"] else 0)
