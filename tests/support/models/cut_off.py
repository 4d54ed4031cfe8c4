"""Promises more bytes than it sends."""

from __future__ import annotations

from model_server import Columns, Model, serve


class CutOff(Model):
    def answer(self, columns: Columns) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"predictions": [')


serve(CutOff)
