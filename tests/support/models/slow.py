"""Takes an hour for a prediction of more than FAST_ROWS rows."""

from __future__ import annotations

import os
import time

from model_server import Columns, Model, serve

FAST_ROWS = int(os.environ.get("FAST_ROWS", "0"))


class Slow(Model):
    def answer(self, columns: Columns) -> None:
        if max(map(len, columns.values())) > FAST_ROWS:
            time.sleep(3600)
        super().answer(columns)


serve(Slow)
