"""Its process ends when any value is missing."""

from __future__ import annotations

import os

from model_server import Columns, Model, serve


class DiesOnNull(Model):
    def answer(self, columns: Columns) -> None:
        if any(value is None for values in columns.values() for value in values):
            os._exit(139)
        super().answer(columns)


serve(DiesOnNull)
