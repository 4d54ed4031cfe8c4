"""Sends whoever asks for predictions elsewhere."""

from __future__ import annotations

from model_server import Columns, Model, serve


class Redirects(Model):
    def answer(self, columns: Columns) -> None:
        self.send(307, b"", Location=f"{self.prefix}/")


serve(Redirects)
