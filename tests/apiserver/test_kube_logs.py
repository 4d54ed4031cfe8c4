"""What the real API server makes of our reading a log: no pod, no container, no node, a node that is silent.

The part of the kubelet is played by a small HTTPS server, to which the API server turns as to any node.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from modelyard.kube.errors import Invalid, Unavailable
from tests.apiserver.kube import client
from tests.apiserver.server import ApiServer
from tests.cluster.tools import tool
from tests.support.eventually import eventually

LOG = "ready\n" + "x" * 100_000 + "\nend\n"


def make_pod(server: ApiServer, namespace: str, node: str | None = None) -> None:
    spec: dict[str, Any] = {"containers": [{"name": "check", "image": "none"}]}
    body = {"metadata": {"name": "p"}, "spec": {**spec, **({"nodeName": node} if node else {})}}
    answer = server.request("POST", f"/api/v1/namespaces/{namespace}/pods", body)
    assert answer.status == 201, answer.message


def make_node(server: ApiServer, name: str, port: int) -> None:
    """A node whose kubelet is said to listen on this port of the loopback."""
    address = {"type": "InternalIP", "address": "127.0.0.1"}
    status = {"addresses": [address], "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
    answer = server.request("POST", "/api/v1/nodes", {"metadata": {"name": name}, "status": status})
    assert answer.status == 201, answer.message


@contextmanager
def kubelet(folder: Path) -> Iterator[int]:
    """A server that answers every request for a log with LOG; its port."""
    certificate, key = folder / "kubelet.crt", folder / "kubelet.key"
    subject = ["-subj", "/CN=kubelet", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [str(tool("openssl")), *new, *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Kubelet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Kubelet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert self.path.startswith("/containerLogs/"), self.path
        content = LOG.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


async def test_a_log_comes_from_the_node_as_it_is_up_to_the_limit(
    server: ApiServer, namespace: str, tmp_path: Path
) -> None:
    with kubelet(tmp_path) as port:
        make_node(server, f"node-{namespace}", port)
        make_pod(server, namespace, f"node-{namespace}")
        async with client(server) as ours:
            assert await ours.live.log(namespace, "p", "check", limit_bytes=1_000_000) == LOG
            assert await ours.live.log(namespace, "p", "check", limit_bytes=70_000) == LOG[:70_000]


async def test_the_log_of_a_pod_that_is_gone_is_none(server: ApiServer, namespace: str) -> None:
    async with client(server) as ours:
        assert await ours.live.log(namespace, "p", "check", limit_bytes=1000) is None


async def test_the_log_of_a_pod_that_no_node_runs_is_empty(server: ApiServer, namespace: str) -> None:
    make_pod(server, namespace)
    async with client(server) as ours:
        assert await ours.live.log(namespace, "p", "check", limit_bytes=1000) == ""


async def test_a_container_of_another_name_is_refused(server: ApiServer, namespace: str) -> None:
    make_pod(server, namespace, "nowhere")
    async with client(server) as ours:
        with pytest.raises(Invalid, match="container other is not valid for pod p"):
            await ours.live.log(namespace, "p", "other", limit_bytes=1000)


async def test_a_log_is_gone_with_its_node(server: ApiServer, namespace: str) -> None:
    make_pod(server, namespace, "nowhere")
    async with client(server) as ours:
        assert await ours.live.log(namespace, "p", "check", limit_bytes=1000) is None


async def test_a_node_that_refuses_connections_is_unavailable(server: ApiServer, namespace: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        make_node(server, f"node-{namespace}", taken.getsockname()[1])
        make_pod(server, namespace, f"node-{namespace}")
        async with client(server) as ours:
            with pytest.raises(Unavailable, match="connection refused"):
                await ours.live.log(namespace, "p", "check", limit_bytes=1000)


async def test_a_node_that_never_answers_is_unavailable_in_time_and_its_connection_is_given_up(
    server: ApiServer, namespace: str
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        make_node(server, f"node-{namespace}", silent.getsockname()[1])
        make_pod(server, namespace, f"node-{namespace}")
        before = open_sockets()
        async with client(server) as ours:
            with pytest.raises(Unavailable, match="timed out"):
                await ours.live.log(namespace, "p", "check", limit_bytes=1000, seconds=0.5)
            await eventually(lambda: open_sockets() == before)


def open_sockets() -> int:
    """How many sockets this process holds; the descriptor of the listing itself is gone when it is looked at."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    return count
