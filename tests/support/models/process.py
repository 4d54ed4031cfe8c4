"""Fixture models as processes on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent


@contextmanager
def started(name: str, **environ: str) -> Iterator[str]:
    """The `host:port` of a process that runs `<name>.py`; it is killed at the end."""
    command = [sys.executable, "-ES", str(FOLDER / f"{name}.py")]
    environment = {**os.environ, "PORT": "0", "HOST": "127.0.0.1", **environ}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
