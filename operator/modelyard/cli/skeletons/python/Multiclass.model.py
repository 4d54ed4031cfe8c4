"""What the model predicts: for each row a probability for each label; together they are 1."""

import json
import math
import os

LABELS = json.loads(os.environ["CLASS_LABELS"])


def predict(row):
    """How dear a flat is: each label stands for a step of price. `row` has None where a value is missing."""
    steps = [100000 + 150000 * step for step in range(len(LABELS))]
    weights = [math.exp(-(((price(row) - step) / 100000) ** 2)) for step in steps]
    total = sum(weights)
    return {label: weight / total for label, weight in zip(LABELS, weights, strict=True)}


def price(row):
    """Of a flat. A missing value counts as a usual one."""
    area = 60 if row["area"] is None else row["area"]
    rooms = 2 if row["rooms"] is None else row["rooms"]
    return 20000 + 3000 * area + 8000 * rooms + (15000 if row["district"] == "north" else 0)
