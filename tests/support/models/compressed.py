"""Compresses its answer though nobody asked."""

from __future__ import annotations

import gzip

from model_server import Columns, Model, serve


class Compressed(Model):
    def answer(self, columns: Columns) -> None:
        self.send(200, gzip.compress(b"{}"), Content_Encoding="gzip")


serve(Compressed)
