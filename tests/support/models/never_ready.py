"""Listens, but says 503 for ever."""

from __future__ import annotations

from model_server import Model, serve


class NeverReady(Model):
    def ready(self) -> None:
        self.send(503, b"loading")


serve(NeverReady)
