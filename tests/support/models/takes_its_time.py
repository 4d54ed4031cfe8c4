"""Takes a moment for each request, and then answers as it should."""

from __future__ import annotations

import os
import time

from model_server import Columns, Model, serve

SECONDS = float(os.environ.get("SECONDS", "0.02"))


class TakesItsTime(Model):
    def answer(self, columns: Columns) -> None:
        time.sleep(SECONDS)
        super().answer(columns)


serve(TakesItsTime)
