"""Says that it is ready, but has no page for predictions."""

from __future__ import annotations

from model_server import Columns, Model, serve


class ReadyWithoutServing(Model):
    def answer(self, columns: Columns) -> None:
        self.send(404, b"no such page")


serve(ReadyWithoutServing)
