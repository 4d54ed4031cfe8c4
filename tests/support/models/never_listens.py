"""Holds its port, but refuses every connection."""

from __future__ import annotations

import os
import signal
import socket

holder = socket.socket()
holder.bind((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))))
print(holder.getsockname()[1], flush=True)
signal.pause()
