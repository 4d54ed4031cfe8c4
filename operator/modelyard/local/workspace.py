"""The folders of a model that is tried: a private copy of its files, and a home. Both vanish in the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SCRIPT = "start_server.sh"
_LEFT_OUT = (".git", "__pycache__", ".venv")
"""Folders that are no part of a model."""

_READABLE = 0o444
_EXECUTABLE = 0o555


class WorkspaceError(Exception):
    """The model's folder cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the model finds its files, and the one place that it may write to."""

    code: Path
    home: Path
    before: Mapping[str, tuple[int, int]]

    def changed(self) -> list[str]:
        """Files of the code that the model made, changed or removed; in a pod it cannot."""
        after = _snapshot(self.code)
        paths = sorted(self.before.keys() | after.keys())
        return [path for path in paths if self.before.get(path) != after.get(path)]


@contextmanager
def workspace(source: Path, *, needs_script: bool) -> Iterator[Workspace]:
    """A read-only copy of a model's folder; gone afterwards, whatever the model did to it."""
    _refuse(source, needs_script=needs_script)
    root = Path(tempfile.mkdtemp(prefix="modelyard-try-")).resolve()
    try:
        code, home = root / "code", root / "home"
        home.mkdir()
        _copy(source, code)
        _make_read_only(code)
        yield Workspace(code, home, _snapshot(code))
    finally:
        _remove(root)


def _refuse(source: Path, *, needs_script: bool) -> None:
    if not source.is_dir():
        raise WorkspaceError(
            f"{source} is {'no folder' if source.exists() else 'not there'}; name the folder of the model"
        )
    script = source / START_SCRIPT
    if not needs_script or script.is_file():
        return
    below = sorted(path.parent for path in source.glob(f"*/{START_SCRIPT}"))
    hint = (
        f"did you mean {below[0]}?"
        if below
        else "add it, or give --command for an environment that has its own"
    )
    raise WorkspaceError(f"{source} has no {START_SCRIPT}, which starts the server: {hint}")


def _copy(source: Path, code: Path) -> None:
    try:
        shutil.copytree(
            source, code, ignore=shutil.ignore_patterns(*_LEFT_OUT), ignore_dangling_symlinks=True
        )
    except shutil.Error as error:
        path, _, why = error.args[0][0]
        raise WorkspaceError(f"{path} cannot be copied: {why}") from None
    except OSError as error:
        raise WorkspaceError(f"{error.filename or source} cannot be copied: {error.strerror}") from None


def _make_read_only(code: Path) -> None:
    """The modes that files have in a pod."""
    for folder, _, names in os.walk(code, topdown=False):
        for name in names:
            path = Path(folder, name)
            executable = path == code / START_SCRIPT or os.access(path, os.X_OK)
            path.chmod(_EXECUTABLE if executable else _READABLE)
        Path(folder).chmod(_EXECUTABLE)


def _snapshot(code: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file. Byte code does not count: Python does without where it cannot write it."""
    found = {}
    for folder, names, files in os.walk(code):
        names[:] = [name for name in names if name != "__pycache__"]
        for name in files:
            facts = Path(folder, name).lstat()
            found[str(Path(folder, name).relative_to(code))] = (facts.st_size, facts.st_mtime_ns)
    return found


def _remove(root: Path) -> None:
    for folder, names, _ in os.walk(root):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():  # Before it is walked into: what cannot be listed is not walked.
                path.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)
