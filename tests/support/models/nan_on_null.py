"""Predicts NaN where a value is missing."""

from __future__ import annotations

from typing import Any

from model_server import Model, serve


class NotANumberOnNull(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return float("nan") if None in row else super().predict(row)


serve(NotANumberOnNull)
