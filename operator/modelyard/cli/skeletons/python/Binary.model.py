"""What the model predicts: for each row a probability for each of two labels."""

import math
import os

POSITIVE = os.environ["POSITIVE_CLASS_LABEL"]
NEGATIVE = os.environ["NEGATIVE_CLASS_LABEL"]


def predict(row):
    """Whether a flat is expensive. `row` has a value for each column, None where it is missing."""
    probability = 1 / (1 + math.exp((200000 - price(row)) / 50000))
    return {POSITIVE: probability, NEGATIVE: 1 - probability}


def price(row):
    """Of a flat. A missing value counts as a usual one."""
    area = 60 if row["area"] is None else row["area"]
    rooms = 2 if row["rooms"] is None else row["rooms"]
    return 20000 + 3000 * area + 8000 * rooms + (15000 if row["district"] == "north" else 0)
