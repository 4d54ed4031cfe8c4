"""`modelyard gateway --routes FILE` as a process, and the file that it reads."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.api.custom_model import CustomModelSpec
from tests.cluster.waiting import until
from tests.gateway.servers import NAMESPACE, Pod, Server, free_port

Document = dict[str, Any]
MODELYARD = str(Path(sys.executable).with_name("modelyard"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""

    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs."""

    port: int
    process: subprocess.Popen[bytes]
    routes: Path

    @property
    def base(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Document | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; a document becomes JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        try:
            connection.request(method, path, content, dict(headers or {}))
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def infer(self, model: str, *inputs: Document, version: str = "", **more: Any) -> Answer:
        """An inference in JSON; `more` goes into the request's document."""
        place = f"{model}/versions/{version}" if version else model
        return self.ask("POST", f"/v2/models/{place}/infer", {"inputs": list(inputs), **more})

    def route(self, models: Iterable[Document]) -> None:
        """Write other routes, which the gateway takes over in a moment."""
        write_routes(self.routes, models)

    def workers(self) -> list[int]:
        """The processes that it has started."""
        return _children(self.process.pid)

    def listening(self) -> int:
        """How many of its processes take connections."""
        place = f"0100007F:{self.port:04X}"
        lines = Path("/proc/net/tcp").read_text().splitlines()
        return sum(line.split()[1] == place and line.split()[3] == _LISTENS for line in lines)

    def resident(self) -> int:
        """Bytes of memory that its processes hold."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * os.sysconf(
            "SC_PAGESIZE"
        )


_LISTENS = "0A"
"""The state of a socket that takes connections."""


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


def column(name: str, data: Sequence[Any], datatype: str = "FP64", **more: Any) -> Document:
    """One input of shape [n] in JSON."""
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": list(data), **more}


def write_routes(path: Path, models: Iterable[Document], namespace: str = NAMESPACE) -> None:
    """The file appears whole."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"defaultNamespace": namespace, "models": list(models)}))
    part.replace(path)


def model(*pods: Pod, serving: str | None = None, namespace: str = NAMESPACE, **more: Any) -> Document:
    """The route of the model whose pods these are; the first one's version serves if none is named."""
    first = pods[0].server
    labels = dict.fromkeys(pod.server.label for pod in pods)
    versions = [version(label, [pod for pod in pods if pod.server.label == label]) for label in labels]
    return {
        "name": first.name,
        "namespace": namespace,
        "serving": serving or first.label,
        "target": target(first.spec),
        "versions": versions,
        **more,
    }


def version(label: str, pods: Sequence[Pod]) -> Document:
    """One version of a model's route."""
    return {
        "label": label,
        "urlPrefix": pods[0].server.identity.prefix,
        "pods": [pod.address for pod in pods],
    }


def absent(server: Server, *addresses: str) -> Document:
    """The route of a model without a pod, or with some that nobody has."""
    one = {"label": server.label, "urlPrefix": server.identity.prefix, "pods": list(addresses)}
    return {
        "name": server.name,
        "namespace": NAMESPACE,
        "serving": server.label,
        "target": target(server.spec),
        "versions": [one],
    }


def target(spec: CustomModelSpec) -> Document:
    """What a model predicts, as a file of routes says it."""
    found: Document = {"type": spec.target_type, "name": spec.target_name}
    if spec.target_type == "Binary":
        return {**found, "labels": list(spec.labels()), "threshold": spec.prediction_threshold}
    return {**found, "labels": spec.class_labels} if spec.class_labels else found


@contextmanager
def gateway(routes: Path, *options: str, program: Sequence[str] = (MODELYARD,)) -> Iterator[Gateway]:
    """The gateway of a file of routes, ready; afterwards it has ended. `program` is what `modelyard` is."""
    port = free_port()
    command = [
        *program,
        "gateway",
        f"--routes={routes}",
        f"--port={port}",
    ]
    with subprocess.Popen(
        [*command, "--host=127.0.0.1", "--admin-port=0", *options], start_new_session=True
    ) as process:
        found = Gateway(port, process, routes)
        try:
            until("the gateway is ready", lambda: _is_ready(found), timeout=30, every=0.02)
            yield found
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _is_ready(found: Gateway) -> bool:
    assert found.process.poll() is None, "the gateway ended before it was ready"
    try:
        return found.ask("GET", "/v2/health/ready").status == 200
    except OSError:
        return False
