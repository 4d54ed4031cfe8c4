"""Predicts numbers as text."""

from __future__ import annotations

from typing import Any

from model_server import Model, serve


class Strings(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return str(super().predict(row))


serve(Strings)
