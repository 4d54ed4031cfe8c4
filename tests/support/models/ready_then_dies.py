"""Is ready, then its process ends after a moment."""

from __future__ import annotations

import os
import threading

from model_server import Model, serve


class ReadyThenDies(Model):
    def ready(self) -> None:
        super().ready()
        threading.Timer(0.3, os._exit, [1]).start()


serve(ReadyThenDies)
