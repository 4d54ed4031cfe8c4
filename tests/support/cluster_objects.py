"""Models that run on a real cluster: manifests as users apply them, with a server that a test gives a mind of its own.

    version("team", "hello", "1.1", predict=NOT_A_NUMBER, replicas=3)

A version's files are `start_server.sh`, `server.py` (the same for all) and `model.py`, whose `predict(columns)`
is what a test chooses. The server prints the ids of every request, one JSON list a line.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support.objects import (
    Manifest,
    as_applied,
    make_dataset,
    make_environment,
    make_gate,
    make_model,
    make_version,
)

ENVIRONMENT = "python"

START_SERVER = '#!/bin/sh\nexec python3 -u "$CODE_DIR/server.py"\n'

SERVER = """
import json, os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import model

PREFIX = os.environ["URL_PREFIX"]

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        is_ready = getattr(model, "is_ready", lambda: True)
        self.answer(200 if self.path == PREFIX + "/" and is_ready() else 503)

    def do_POST(self):
        columns = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["X"]
        print(json.dumps(columns.get("id", [])))
        self.answer(200, {"predictions": model.predict(columns)})

    def answer(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit())
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""

OWN_LABEL = """
import os

def predict(columns):
    return [float(os.environ["MODEL_VERSION"]) for _ in columns["id"]]
"""
"""A good model: it predicts its own label, so that an answer says who gave it."""

NOT_A_NUMBER = """
def predict(columns):
    return [float("nan") for _ in columns["id"]]
"""

GATE_IDS = ("gate-0", "gate-1", "gate-2")
"""The ids that only tests of the gate send."""


def environment(namespace: str, image: str, name: str = ENVIRONMENT, **spec: Any) -> Manifest:
    """Where all the versions run."""
    return as_applied(make_environment(name, namespace=namespace, image=image, **spec))


def gate(**test: Any) -> Manifest:
    """A gate of one test, `rows`, that sends GATE_IDS; keyword arguments change the test."""
    rows = make_dataset(json.dumps({"id": GATE_IDS}))
    return make_gate("rows", **{"dataset": rows, "timeoutSeconds": 120, **test})


def model(namespace: str, name: str, **spec: Any) -> Manifest:
    """A regression model; without a gate unless one is given."""
    return as_applied(make_model(name, namespace=namespace, **spec))


def version_name(model: str, label: str) -> str:
    """What `version` calls it."""
    return f"{model}-{label.replace('.', '-')}"


def files(predict: str, *, start: str | None = START_SERVER) -> list[Manifest]:
    """The code of a version; without a start script if `start` is None."""
    named = {"start_server.sh": start, "server.py": SERVER, "model.py": predict}
    return [{"path": path, "content": text} for path, text in named.items() if text is not None]


def version(namespace: str, model: str, label: str, *, predict: str = OWN_LABEL, **spec: Any) -> Manifest:
    """A small version of `model` with this label and this `model.py`."""
    small = {
        "modelRef": {"name": model},
        "environmentRef": {"name": ENVIRONMENT},
        "source": {"inline": files(predict)},
        "maximumMemory": "128Mi",
        "cpu": "20m",
    }
    name = version_name(model, label)
    return as_applied(make_version(name, namespace=namespace, label=label, **{**small, **spec}))
