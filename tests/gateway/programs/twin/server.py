"""The twin by the contract of models."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = os.environ["URL_PREFIX"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200 if self.path == f"{PREFIX}/" else 404)

    def do_POST(self) -> None:
        from model import predict  # type: ignore[import-not-found]  # its neighbour

        columns = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["X"]
        self.answer(200, json.dumps({"predictions": predict(columns)}).encode())

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
