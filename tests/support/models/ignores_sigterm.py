"""Answers as it should, and goes on when asked to end."""

from __future__ import annotations

import signal

from model_server import Model, serve

signal.signal(signal.SIGTERM, signal.SIG_IGN)
serve(Model)
