"""Speaks something else than HTTP."""

from __future__ import annotations

from model_server import Model, serve


class NotHttp(Model):
    def ready(self) -> None:
        self.wfile.write(b"220 mail.example ready\r\n\r\n")


serve(NotHttp)
