"""Answers 500 with a long traceback."""

from __future__ import annotations

from model_server import Columns, Model, serve


class Raises(Model):
    def answer(self, columns: Columns) -> None:
        self.send(500, b"Traceback (most recent call last):\n  ValueError: could not convert\n" * 500)


serve(Raises)
