"""Starts fixture models by forking, which takes a twentieth of a new interpreter's time.

Each line on stdin is a JSON list of a fixture's name and its environment variables. What the fixture prints
comes out on stdout: the first line is its port. A list of nothing ends all of them, and an empty line on stdout
says that they have ended. When stdin ends, the nursery does, and they too.
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

children: list[int] = []
for line in sys.stdin:
    wanted = json.loads(line)
    if not wanted:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        children = []
        print(flush=True)
    elif child := os.fork():
        children.append(child)
    else:
        name, environment = wanted
        os.environ.update(environment)
        try:
            runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        finally:
            print(flush=True)  # whoever waits for a port that never came
        os._exit(0)
os.killpg(0, signal.SIGKILL)
