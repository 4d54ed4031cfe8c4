"""Answers 500 for a row in which every number is missing: it divides by how many there are."""

from __future__ import annotations

from typing import Any

from model_server import Columns, Model, serve


class RaisesOnAllNull(Model):
    def answer(self, columns: Columns) -> None:
        try:
            super().answer(columns)
        except ZeroDivisionError as error:
            self.send(500, f"ZeroDivisionError: {error}".encode())

    def predict(self, row: tuple[Any, ...]) -> Any:
        numbers = [value for value in row if isinstance(value, int | float)]
        return sum(numbers) / len(numbers)


serve(RaisesOnAllNull)
