"""Answers with labels that are not those of the model."""

from __future__ import annotations

from typing import Any

from model_server import Model, serve


class WrongLabels(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return {"good": 0.5, "bad": 0.5}


serve(WrongLabels)
