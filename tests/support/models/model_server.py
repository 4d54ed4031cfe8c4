"""The ground of the fixture models: a model server of the contract, plain standard library, one process.

PORT (0 = any free one), URL_PREFIX and HOST are read from the environment; the first line on stdout is the
port. A fixture overrides what it does differently.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Columns = dict[str, list[Any]]


class Model(BaseHTTPRequestHandler):
    """A good regression model: the sum of a row's numbers."""

    prefix = os.environ.get("URL_PREFIX", "")

    def do_GET(self) -> None:
        if self.path == f"{self.prefix}/":
            self.ready()
        else:
            self.send(404, b"no such page")

    def do_POST(self) -> None:
        columns: Columns = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["X"]
        if self.path == f"{self.prefix}/predict_no_state/":
            self.answer(columns)
        else:
            self.send(404, b"no such page")

    def ready(self) -> None:
        """The answer to `GET <prefix>/`."""
        self.send(200, b"")

    def answer(self, columns: Columns) -> None:
        """The answer to a request for predictions."""
        self.send_json({"predictions": self.predictions(columns)})

    def predictions(self, columns: Columns) -> list[Any]:
        """One prediction a row."""
        return [self.predict(row) for row in zip(*columns.values(), strict=True)]

    def predict(self, row: tuple[Any, ...]) -> Any:
        """The prediction for one row."""
        return float(sum(value for value in row if isinstance(value, int | float)))

    def send_json(self, value: object) -> None:
        self.send(200, json.dumps(value).encode())

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(model: type[Model], before: Callable[[ThreadingHTTPServer], None] = lambda _server: None) -> None:
    """Serve until SIGTERM; `before` sees the server once it listens."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # which a container's first process does not heed
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer(address, model) as server:
        print(server.server_port, flush=True)
        before(server)
        server.serve_forever(poll_interval=0.05)
