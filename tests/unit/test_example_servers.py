"""The examples' servers in Python answer by one send: a body sent after its head waits for the client's delayed
acknowledgement, 40 ms a request."""

from __future__ import annotations

import http.server
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PREFIX = "/models/team/it"
SKELETON = ROOT / "operator" / "modelyard" / "cli" / "skeletons" / "python" / "server.py"


def sources() -> Iterator[Any]:
    """Each server.py that the examples hold, as a file or within a version's YAML, and the one of `modelyard init`."""
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        manifest = yaml.safe_load(file.read_text())
        for part in manifest.get("spec", {}).get("source", {}).get("inline", ()):
            if part["path"] == "server.py":
                yield pytest.param(part["content"], id=str(file.relative_to(ROOT)))
    for file in (*sorted((ROOT / "examples").rglob("server.py")), SKELETON):
        yield pytest.param(file.read_text(), id=str(file.relative_to(ROOT)))


SOURCES = list(sources())


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a server finds around it when it starts; `handler` is then what it would serve by."""
    seen: dict[str, Any] = {}
    trained = {"model": SimpleNamespace(classes_=SimpleNamespace(tolist=lambda: ["a", "b"])), "columns": []}
    modules = {
        "joblib": SimpleNamespace(load=lambda _: trained),
        "numpy": SimpleNamespace(),
        "model": SimpleNamespace(predict=lambda _: 0.5),
    }
    variables = {"URL_PREFIX": PREFIX, "PORT": "0", "POSITIVE_CLASS_LABEL": "a", "NEGATIVE_CLASS_LABEL": "b"}

    def server(_address: object, handler: object) -> SimpleNamespace:
        seen["handler"] = handler
        return SimpleNamespace(serve_forever=lambda: None)

    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(http.server, "ThreadingHTTPServer", server)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return seen


def sent(handler: Any, request: bytes) -> list[bytes]:
    """What it sends in answer, send by send: this kind of socket keeps them apart."""
    client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with client, server:
        client.send(request)
        client.shutdown(socket.SHUT_WR)
        handler(server, ("client", 0), None)
        server.shutdown(socket.SHUT_WR)
        return list(iter(lambda: client.recv(65536), b""))


def asked(document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"POST %b/predict_no_state/ HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (
        PREFIX.encode(),
        len(body),
        body,
    )


def test_there_are_such_servers() -> None:
    assert len(SOURCES) >= 6


@pytest.mark.parametrize("source", SOURCES)
def test_an_answer_is_sent_as_a_whole(source: str, outside: dict[str, Any]) -> None:
    exec(compile(source, "server.py", "exec"), {"__name__": "__main__"})
    (answer,) = sent(outside["handler"], asked({"X": 5}))
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]
