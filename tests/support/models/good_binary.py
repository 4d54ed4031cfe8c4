"""Answers as it should: a probability for each of the two labels."""

from __future__ import annotations

import os
from typing import Any

from model_server import Model, serve

POSITIVE = os.environ.get("POSITIVE_CLASS_LABEL", "1")
NEGATIVE = os.environ.get("NEGATIVE_CLASS_LABEL", "0")


class Binary(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        probability = 1 / (1 + abs(super().predict(row)))
        return {POSITIVE: probability, NEGATIVE: 1 - probability}


serve(Binary)
