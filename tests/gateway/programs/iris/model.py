"""The fourth example's model as it computes, of the same numbers, for machines without Node.js."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

MODEL = json.loads(Path(os.environ["CODE_DIR"], "model.json").read_text())


def predict(columns: dict[str, list[Any]]) -> list[dict[str, float]]:
    """The probability of each species, a row."""
    assert set(columns) <= set(MODEL["columns"])
    return [classify(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def classify(flower: dict[str, float]) -> dict[str, float]:
    """A measure that is not there is the usual one."""
    known = list(zip(MODEL["columns"], MODEL["usual"], MODEL["deviations"], strict=True))
    weights = {}
    for species, means in MODEL["means"].items():
        distances = [
            (flower.get(name, usual) - mean) / deviation
            for (name, usual, deviation), mean in zip(known, means, strict=True)
        ]
        weights[species] = math.exp(-math.fsum(distance**2 for distance in distances) / 2)
    return {species: weight / math.fsum(weights.values()) for species, weight in weights.items()}
