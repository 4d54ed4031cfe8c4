"""Leaves out the last row."""

from __future__ import annotations

from typing import Any

from model_server import Columns, Model, serve


class Short(Model):
    def predictions(self, columns: Columns) -> list[Any]:
        return super().predictions(columns)[:-1]


serve(Short)
