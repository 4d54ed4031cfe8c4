"""Answers with more than anyone reads."""

from __future__ import annotations

from model_server import Columns, Model, serve


class Huge(Model):
    def answer(self, columns: Columns) -> None:
        self.send(200, b"[" * (4 * 1024 * 1024))


serve(Huge)
