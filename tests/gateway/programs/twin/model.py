"""The model that stands behind both servers: what it predicts depends on every value, its column and its row."""

from __future__ import annotations

import math
import zlib
from typing import Any


def predict(columns: dict[str, list[Any]]) -> list[float]:
    """One number a row."""
    weights = [1 + zlib.crc32(name.encode()) % 97 for name in columns]
    return [
        math.fsum(weight * worth(value) for weight, value in zip(weights, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def worth(value: Any) -> float:
    """A number below a thousand for any value."""
    if isinstance(value, list):
        return math.fsum((place + 1) * worth(one) for place, one in enumerate(value)) % 1000
    if isinstance(value, str):
        return float(zlib.crc32(value.encode()) % 1000)
    if value is None or math.isnan(value):
        return 0.25
    return float(value % 1000) if isinstance(value, int) else math.fmod(value, 1000.0)
