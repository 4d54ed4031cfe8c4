"""Programs that a cluster is asked through: docker, kind, kubectl."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.provider import OLDEST, ClusterUnavailable

Run = Callable[..., str]
"""`run(command, stdin=None)`: what a program prints. Raises ClusterUnavailable with what it said."""

_LAST = 2000


def run(command: Sequence[str], stdin: str | None = None) -> str:
    """What a program prints. Raises ClusterUnavailable with the end of what it said when it fails."""
    done = subprocess.run(list(command), input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-_LAST:]
        raise ClusterUnavailable(f"`{' '.join(command)}` failed: {said}")
    return done.stdout


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
