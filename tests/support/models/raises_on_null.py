"""Answers 500 when any value is missing."""

from __future__ import annotations

from model_server import Columns, Model, serve


class RaisesOnNull(Model):
    def answer(self, columns: Columns) -> None:
        if any(value is None for values in columns.values() for value in values):
            self.send(500, b"TypeError: unsupported operand type(s) for +: 'float' and 'NoneType'")
        else:
            super().answer(columns)


serve(RaisesOnNull)
