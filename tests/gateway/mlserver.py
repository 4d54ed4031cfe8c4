"""MLServer as a process, with the model of `programs/twin`."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.waiting import until
from tests.gateway.environments import variables
from tests.gateway.running import Answer
from tests.gateway.servers import free_port

TWIN = Path(__file__).parent / "programs" / "twin"
_START = "import sys; from mlserver.cli import main; sys.argv = ['mlserver', 'start', *sys.argv[1:]]; main()"


@dataclass(frozen=True, slots=True)
class MlServer:
    """One that runs."""

    port: int
    process: subprocess.Popen[bytes]

    def post(self, path: str, document: Any, *, compressed: bool = False) -> Answer:
        """A request of JSON, on a connection of its own."""
        body, headers = json.dumps(document).encode(), {"content-type": "application/json"}
        if compressed:
            body, headers = gzip.compress(body), {**headers, "content-encoding": "gzip"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


@contextmanager
def mlserver(python: Path, folder: Path) -> Iterator[MlServer]:
    """MLServer when its model is ready; afterwards nothing of it runs. What it says goes to a file in `folder`."""
    ports = {name: str(free_port()) for name in ("HTTP", "GRPC", "METRICS")}
    settings = {f"MLSERVER_{name}_PORT": port for name, port in ports.items()}
    settings |= {"MLSERVER_HOST": "127.0.0.1", "MLSERVER_PARALLEL_WORKERS": "0", "MLSERVER_DEBUG": "false"}
    with (
        (folder / "mlserver.log").open("wb") as log,
        subprocess.Popen(
            [str(python), "-c", _START, str(TWIN)],
            cwd=folder,
            env=variables(**settings, MLSERVER_METRICS_DIR=str(folder)),
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        found = MlServer(int(ports["HTTP"]), process)
        try:
            until("MLServer is ready", lambda: _is_ready(found, folder), timeout=60, every=0.05)
            yield found
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _is_ready(found: MlServer, folder: Path) -> bool:
    assert found.process.poll() is None, (folder / "mlserver.log").read_text()
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=5)
    try:
        connection.request("GET", "/v2/models/twin/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
