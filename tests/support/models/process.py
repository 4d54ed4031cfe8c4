"""Fixture models as processes on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent


@contextmanager
def started(name: str, **environ: str) -> Iterator[str]:
    """The `host:port` of a process that runs `<name>.py`; it is killed at the end."""
    with running(name, **environ) as (_process, address):
        yield address


@contextmanager
def running(name: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """As `started`, and the process itself."""
    environment = {**os.environ, "PORT": "0", "HOST": "127.0.0.1", **environ}
    with subprocess.Popen(_command(name), env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, f"{environment['HOST']}:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def started_as_in_a_container(name: str, **environ: str) -> Iterator[str]:
    """As `started`, but when the process ends, so does everything that it has started: as in a container."""
    environment = {**os.environ, "PORT": "0", "HOST": "127.0.0.1", **environ}
    first = subprocess.Popen(
        _command(name), env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )

    def end_with_the_first() -> None:
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
        os.killpg(first.pid, signal.SIGKILL)

    end = threading.Thread(target=end_with_the_first)
    with first:
        assert first.stdout is not None
        end.start()
        try:
            yield f"{environment['HOST']}:{int(first.stdout.readline())}"
        finally:
            first.kill()
            end.join()


class Nursery:
    """Starts processes as `started` does, in a twentieth of its time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, **environ: str) -> str:
        """The `host:port` of one more process that runs `<name>.py`."""
        environment = {"PORT": "0", "HOST": "127.0.0.1", **environ}
        return f"{environment['HOST']}:{int(self._asked(name, environment))}"

    def clear(self) -> None:
        """Kill all that were started so far."""
        assert self._asked() == "\n"

    def _asked(self, *wanted: object) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(wanted), file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """All that it started is killed at the end."""
    with subprocess.Popen(
        _command("nursery"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield Nursery(process)


def _command(name: str) -> list[str]:
    return [sys.executable, "-ES", str(FOLDER / f"{name}.py")]
