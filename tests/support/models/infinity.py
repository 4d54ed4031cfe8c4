"""Predicts infinity for every row."""

from __future__ import annotations

from typing import Any

from model_server import Model, serve


class Infinite(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return float("inf")


serve(Infinite)
