"""The HTTP side of the model, of the standard library alone; what it predicts is in model.py."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model import predict

PREFIX = os.environ["URL_PREFIX"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # An answer leaves as a whole: its body would wait until its head was acknowledged.

    def do_GET(self):
        self.answer(200 if self.path == PREFIX + "/" else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != PREFIX + "/predict_no_state/":
            return self.answer(404)
        try:
            columns = json.loads(body)["X"]
            names = list(columns)
            rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
            predictions = [predict(row) for row in rows]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return self.answer(400, {"error": repr(error)})
        self.answer(200, {"predictions": predictions})

    def answer(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        """Errors are logged, requests are not."""


# In a pod a process without a handler of its own is deaf to SIGTERM.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
