"""Answers with the start of a JSON text."""

from __future__ import annotations

from model_server import Columns, Model, serve


class Malformed(Model):
    def answer(self, columns: Columns) -> None:
        self.send(200, b'{"predictions": [1.0,')


serve(Malformed)
