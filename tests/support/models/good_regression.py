"""Answers as it should: a number a row."""

from __future__ import annotations

from model_server import Model, serve

serve(Model)
