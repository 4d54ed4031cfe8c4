"""Leaves out every row in which a value is missing."""

from __future__ import annotations

from typing import Any

from model_server import Columns, Model, serve


class DropsNullRows(Model):
    def predictions(self, columns: Columns) -> list[Any]:
        rows = zip(*columns.values(), strict=True)
        return [self.predict(row) for row in rows if None not in row]


serve(DropsNullRows)
