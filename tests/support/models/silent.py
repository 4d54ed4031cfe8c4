"""Takes connections and never answers."""

from __future__ import annotations

import time

from model_server import Model, serve


class Silent(Model):
    def ready(self) -> None:
        time.sleep(3600)


serve(Silent)
