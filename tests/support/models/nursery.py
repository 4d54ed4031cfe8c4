"""Starts fixture models by forking, which takes a twentieth of a new interpreter's time.

Each line on stdin is a JSON list of a fixture's name and its environment variables. What the fixture prints
comes out on stdout: the first line is its port. When stdin ends, all of them do.
"""

from __future__ import annotations

import http.server  # noqa: F401  (what takes long to import is there before the first fork)
import json
import os
import runpy
import signal
import sys
from pathlib import Path

FOLDER = Path(__file__).parent

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    name, environment = json.loads(line)
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)
        try:
            runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        finally:
            print(flush=True)  # whoever waits for a port that never came
        os._exit(0)
os.killpg(0, signal.SIGKILL)
