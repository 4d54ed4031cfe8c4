"""Folders of models as their authors have them, made of the fixture models or of a few lines of shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.models.process import FOLDER


def script_folder(folder: Path, *lines: str) -> Path:
    """A model whose start script is these lines of sh; the script is not executable, as after a download."""
    folder.mkdir()
    (folder / "start_server.sh").write_text("\n".join(["#!/bin/sh", *lines, ""]))
    return folder


def fixture_folder(folder: Path, name: str) -> Path:
    """A fixture model, which listens on all addresses unless it is about that."""
    return script_folder(folder, f"HOST=0.0.0.0 exec python3 -ES {FOLDER / name}.py")


def processes_of(model: str) -> list[int]:
    """The processes on this machine that were told to be this model."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if model in _names(folder)]


def _names(process: Path) -> Iterator[str]:
    try:
        environment = (process / "environ").read_bytes()
    except OSError:  # It ended meanwhile.
        return
    for variable in environment.split(b"\0"):
        if variable.startswith(b"MODEL_NAME="):
            yield variable.partition(b"=")[2].decode()
