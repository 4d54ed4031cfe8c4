"""Listens on 127.0.0.1 only, where no other pod reaches it."""

from __future__ import annotations

import os

from model_server import Model, serve

os.environ["HOST"] = "127.0.0.1"
serve(Model)
