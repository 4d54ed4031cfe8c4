"""Predicts probabilities that sum to 1.2."""

from __future__ import annotations

from typing import Any

from model_server import Model, serve


class WrongSum(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return {"1": 0.6, "0": 0.6}


serve(WrongSum)
