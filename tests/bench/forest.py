"""A model of realistic cost: a forest of 100 trees of depth 6 in plain Python, for any number of columns.

A request costs about 2 ms of CPU time before its first row, which lies between scikit-learn's gradient boosting
(1.2 ms) and its random forest of 100 trees (5.7 ms), each measured with JSON and a data frame of 30 columns: the
forest is planted anew for each request, as frames and thread pools are. `GET /cpu` tells the seconds of CPU time
that the process has used.
"""

from __future__ import annotations

import random
import time
from typing import Any

from tests.support.models.model_server import Columns, Model, serve

TREES, DEPTH, VALUES = 100, 6, 25


def _forest(columns: int) -> list[list[tuple[int, float]]]:
    """For each tree which column is compared with what, level by level: with the median of some values."""
    chance = random.Random(1)
    return [
        [
            (chance.randrange(columns), sorted(chance.random() for _ in range(VALUES))[VALUES // 2])
            for _ in range(DEPTH)
        ]
        for _ in range(TREES)
    ]


class Forest(Model):
    def do_GET(self) -> None:
        if self.path == "/cpu":
            self.send_json(time.process_time())
        else:
            super().do_GET()

    def predictions(self, columns: Columns) -> list[Any]:
        rows = zip(*([value or 0.0 for value in values] for values in columns.values()), strict=True)
        forest = _forest(len(columns))
        return [sum(_leaf(tree, row) for tree in forest) / TREES for row in rows]


def _leaf(tree: list[tuple[int, float]], row: tuple[Any, ...]) -> float:
    leaf: int = 0
    for column, threshold in tree:
        leaf = 2 * leaf + (row[column] > threshold)
    return leaf / float(2**DEPTH)


if __name__ == "__main__":
    serve(Forest)
