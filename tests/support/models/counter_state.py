"""Adds to each prediction how many it has made before."""

from __future__ import annotations

from itertools import count
from typing import Any

from model_server import Model, serve

MADE = count()


class Counter(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return super().predict(row) + next(MADE)


serve(Counter)
