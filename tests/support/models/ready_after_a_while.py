"""Says 503 to the first questions, then is ready."""

from __future__ import annotations

from itertools import count

from model_server import Model, serve

ASKED = count(1)


class Slow(Model):
    def ready(self) -> None:
        self.send(*(200, b"") if next(ASKED) > 3 else (503, b"loading"))


serve(Slow)
