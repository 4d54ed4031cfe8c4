"""Its process ends on the NTH request for predictions, as when killed for memory."""

from __future__ import annotations

import os
from itertools import count

from model_server import Columns, Model, serve

NTH = int(os.environ.get("NTH", "3"))
REQUESTS = count(1)


class DiesOnNth(Model):
    def answer(self, columns: Columns) -> None:
        if next(REQUESTS) == NTH:
            os._exit(137)
        super().answer(columns)


serve(DiesOnNth)
