"""The folder outside every checkout where things that are slow to make are kept, and how they get there whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.progress import Progress


def cache_dir(*parts: str) -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/modelyard/<parts>`, made when missing."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    path = Path(home).expanduser().joinpath("modelyard", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold an exclusive lock on `path`; `waiting` is called once when another process has it.

    The kernel drops the lock when its holder dies, however it dies. The file itself stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kept(target: Path, make: Callable[[Path], None], *, what: str, progress: Progress) -> Path:
    """`target`, a folder that `make(empty folder)` fills if it does not exist yet.

    It appears whole or not at all: it is filled under a temporary name beside it and renamed at the end.
    Two processes that want the same one do not both make it.
    """
    if target.exists():
        return target
    lock = target.with_name(f".{target.name}.lock")
    with locked(lock, waiting=lambda: progress.say(f"Waiting for another process that makes {what}")):
        if target.exists():
            return target
        for leftover in target.parent.glob(f".{target.name}.*.part"):
            shutil.rmtree(leftover)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            part.chmod(0o755)
            make(part)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target
