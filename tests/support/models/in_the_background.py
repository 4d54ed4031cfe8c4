"""Starts its server in the background and exits, as `python server.py &` in a start script does."""

from __future__ import annotations

import os
from http.server import ThreadingHTTPServer

from model_server import Model, serve


def leave(_server: ThreadingHTTPServer) -> None:
    if os.fork():
        os._exit(0)


serve(Model, before=leave)
