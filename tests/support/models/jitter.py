"""Predicts never quite the same: differences of up to 1e-12, as from sums in another order."""

from __future__ import annotations

import random
from typing import Any

from model_server import Model, serve


class Jitter(Model):
    def predict(self, row: tuple[Any, ...]) -> Any:
        return super().predict(row) + random.uniform(-1e-12, 1e-12)


serve(Jitter)
