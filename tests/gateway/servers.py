"""Models as they are in pods: `sh start_server.sh`, told by variables where to listen; here they listen on loopback."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from modelyard.api.custom_model import CustomModelSpec
from modelyard.local.environment import Identity, Place, variables
from tests.cluster.waiting import until

ECHO = Path(__file__).parent / "programs" / "echo"
NAMESPACE = "here"
"""The namespace of all models: their prefix is made of it."""


@dataclass(frozen=True, slots=True)
class Server:
    """What to start: a model's folder, who it is, and the variables of its version."""

    code: Path
    name: str
    spec: CustomModelSpec
    label: str = "1.0"
    own: tuple[tuple[str, str], ...] = ()

    @property
    def identity(self) -> Identity:
        """What it is told of itself."""
        return Identity(self.name, self.label, self.spec)

    def version(self, label: str, **own: str) -> Server:
        """The same model's version of another label, with further variables."""
        return replace(self, label=label, own=(*self.own, *own.items()))


@dataclass(frozen=True, slots=True)
class Pod:
    """A server that was started, and is ready until somebody does something to it."""

    server: Server
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        """At once, as a node that is lost."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def hang(self) -> None:
        """Connections are taken by the kernel, and nobody answers."""
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """After it hung."""
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """To all of its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def started(server: Server, folder: Path, port: int | None = None) -> Iterator[Pod]:
    """A pod of `server` that is ready; afterwards nothing of it runs. `folder` becomes its home."""
    port = free_port() if port is None else port
    folder.mkdir(parents=True, exist_ok=True)
    place = Place(port, server.code, folder, os.environ["PATH"])
    with subprocess.Popen(
        ["sh", str(server.code / "start_server.sh")],
        cwd=server.code,
        env=variables(server.identity, dict(server.own), place),
        start_new_session=True,
    ) as process:
        pod = Pod(server, port, process)
        try:
            until(f"{server.name} is ready", lambda: _is_ready(pod), timeout=30, every=0.02)
            yield pod
        finally:
            pod.send(signal.SIGKILL)


def _is_ready(pod: Pod) -> bool:
    assert pod.process.poll() is None, f"{pod.server.name} ended before it was ready"
    connection = http.client.HTTPConnection("127.0.0.1", pod.port, timeout=5)
    try:
        connection.request("GET", f"{pod.server.identity.prefix}/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
