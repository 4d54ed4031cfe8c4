"""Predicts NaN for the fourth row of a request."""

from __future__ import annotations

from typing import Any

from model_server import Columns, Model, serve


class NotANumber(Model):
    def predictions(self, columns: Columns) -> list[Any]:
        good = super().predictions(columns)
        return [*good[:3], float("nan"), *good[4:]]


serve(NotANumber)
