"""Files that a command writes at its end: looked at before it begins, so that no work is done for nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from modelyard.cli.usage import UsageError


def refuse_to_write_nowhere(paths: Sequence[Path | None]) -> None:
    """UsageError when a file that is to be written at the end could not be."""
    for path in paths:
        if path is None:
            continue
        try:
            _try(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _try(path: Path) -> None:
    """Open a file for writing. One that is there keeps what it holds, and none is left that was not there."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} does not exist; make it, or name another file")
    there = path.exists()
    if there and not path.is_file():  # A pipe, say: whoever reads it would take our closing for the end.
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return
    path.open("ab").close()
    if not there:
        path.resolve().unlink()


class KeptLog:
    """A file of lines, if there is to be one. What cannot be written any more is given up, and told at the end."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._trouble = ""

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{self._path} cannot be written: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def write(self, line: str) -> None:
        """Take one line."""
        if self._file is None:
            return
        try:
            self._file.write(f"{line}\n")
        except OSError as error:
            self._trouble = str(error.strerror)
            self._close()

    def refuse_a_loss(self) -> None:
        """UsageError when lines were lost."""
        if self._trouble:
            raise UsageError(f"{self._path} cannot be written: {self._trouble}; the rest of the log is lost")

    def _close(self) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            self._trouble = str(error.strerror)
