"""Programs that a cluster is asked through: docker, kind, kubectl."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import tools
from tests.cluster.provider import OLDEST, ClusterUnavailable

Run = Callable[..., str]
"""`run(command, stdin=None)`: what a program prints. Raises ProgramFailed with what it said."""

_LAST = 2000


class ProgramFailed(ClusterUnavailable):
    """A program ended with an error, or never did its work; the message has no next step yet: see `or_else`."""


def run(command: Sequence[str], stdin: str | None = None) -> str:
    """What a program prints. Raises ProgramFailed with the end of what it said when it fails, ClusterUnavailable when
    there is no such program.

    While interrupts are ignored it is in a process group of its own: a terminal tells all of the first group of a
    Ctrl-C, and docker listens to it even when it was started with interrupts ignored.
    """
    own = 0 if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else None
    try:
        done = subprocess.run(list(command), input=stdin, capture_output=True, text=True, process_group=own)
    except OSError as error:
        raise ClusterUnavailable(
            f"`{command[0]}` cannot be run: {error.strerror}; install it, and see that PATH leads to it."
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-_LAST:]
        raise ProgramFailed(f"`{' '.join(command)}` failed: {said}")
    return done.stdout


def kubectl() -> str:
    """The path of the pinned kubectl. Raises ClusterUnavailable where this Python has none."""
    try:
        return str(tools.kubectl())
    except tools.ToolMissing as error:
        raise ClusterUnavailable(str(error)) from error


@contextmanager
def or_else(step: str) -> Iterator[None]:
    """What to do next, told behind what a program said that failed; a sentence that has a next step stays as it is."""
    try:
        yield
    except ProgramFailed as error:
        raise ClusterUnavailable(f"{str(error).removesuffix('.')}; {step}.") from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, as a kubeconfig is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def check_version(said: str, whose: str) -> str:
    """The server's version in what `kubectl version --output=json` prints. Raises ClusterUnavailable for an old one."""
    server: dict[str, Any] = json.loads(said).get("serverVersion") or {}
    major, minor = (
        int("".join(filter(str.isdigit, server.get(part, "")) or "0")) for part in ("major", "minor")
    )
    if (major, minor) < OLDEST:
        raise ClusterUnavailable(
            f"{whose} is Kubernetes {server.get('gitVersion', 'of an unknown version')}; Modelyard needs "
            f"{'.'.join(map(str, OLDEST))} or later: choose a newer cluster."
        )
    return str(server["gitVersion"])
