"""A model that answers what it was asked: so an answer tells whose it is, and who gave it.

Regression and Anomaly: the number in the column `value`, plus OFFSET. Binary: that number as the probability of the
positive label. What it is asked is appended to the file RECORD, if there is one, a line a request. It misbehaves on
request: the first row of the column `do` is one of the names in MISDEEDS, or `sleep` and a number of seconds. It
closes connections that were idle for IDLE seconds, without a word, and writes head and body apart if APART is set.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = os.environ["URL_PREFIX"]
TARGET = os.environ["TARGET_TYPE"]
LABELS = [os.environ.get("POSITIVE_CLASS_LABEL", ""), os.environ.get("NEGATIVE_CLASS_LABEL", "")]
OFFSET = float(os.environ.get("OFFSET", "0"))
RECORD = os.environ.get("RECORD")
IDLE = float(os.environ.get("IDLE", "3600"))
APART = "APART" in os.environ

Columns = dict[str, list[Any]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    wbufsize = 0 if APART else -1  # Else one packet an answer: two wait for each other.

    def do_GET(self) -> None:
        self.answer(200 if self.path == f"{PREFIX}/" else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != f"{PREFIX}/predict_no_state/":
            return self.answer(404)
        record(body.replace(b"\n", b" "))
        columns = json.loads(body)["X"]
        deed, _, argument = str(columns.get("do", [""])[0]).partition(" ")
        if deed == "sleep":
            time.sleep(float(argument))
        if deed in MISDEEDS:
            return MISDEEDS[deed](self)
        self.answer(200, json.dumps({"predictions": predictions(columns)}).encode())

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut_off(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"predictions": [1')
        self.close_connection = True

    def hang_up(self) -> None:
        self.close_connection = True

    def wait(self) -> None:
        """Until who asked closes the connection, which is recorded."""
        self.close_connection = not self.connection.recv(1)
        record(b"closed" if self.close_connection else b"asked on")

    def log_message(self, format: str, *args: Any) -> None:
        pass


MISDEEDS: dict[str, Callable[[Handler], None]] = {
    "refuse": lambda handler: handler.answer(400, b'{"error": "area must not be negative"}'),
    "blame": lambda handler: handler.answer(400, b"Traceback (most recent call last): secret"),
    "fail": lambda handler: handler.answer(500, b"Traceback (most recent call last): secret"),
    "talk": lambda handler: handler.answer(200, b"hello"),
    "shorten": lambda handler: handler.answer(200, b'{"predictions": []}'),
    "say-text": lambda handler: handler.answer(200, b'{"predictions": ["much"]}'),
    "say-nan": lambda handler: handler.answer(200, b'{"predictions": [NaN]}'),
    "say-list": lambda handler: handler.answer(200, b"[1.5]"),
    "cut-off": Handler.cut_off,
    "hang-up": Handler.hang_up,
    "wait": Handler.wait,
}


def record(line: bytes) -> None:
    if RECORD:
        with open(RECORD, "ab") as file:
            file.write(line + b"\n")


def predictions(columns: Columns) -> list[Any]:
    """One a row; a row without a number counts as 0."""
    rows = len(next(iter(columns.values())))
    values = [number(value) + OFFSET for value in columns.get("value", [0.0] * rows)]
    if TARGET == "Binary":
        return [dict(zip(LABELS, (value, 1 - value), strict=True)) for value in values]
    return values


def number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Server(("", int(os.environ["PORT"])), Handler).serve_forever(poll_interval=0.05)
