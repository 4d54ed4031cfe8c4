"""Which rows are asked for more closely: always the same for the same data. Pure."""

from __future__ import annotations

import random
import zlib

from modelyard.checks.data import DataSet, to_json


def seed_of(data: DataSet) -> int:
    """A number that the data alone decides, however it was written."""
    return zlib.crc32(to_json(data.columns))


def sampled(rows: int, count: int, seed: int) -> tuple[int, ...]:
    """`count` of the first `rows` rows in ascending order, or all if there are fewer."""
    return tuple(sorted(random.Random(seed).sample(range(rows), min(count, rows))))


def shuffled(rows: int, seed: int) -> tuple[int, ...]:
    """The first `rows` rows in another order; two rows or more never stay as they are."""
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    if order == sorted(order):
        order.append(order.pop(0))
    return tuple(order)
