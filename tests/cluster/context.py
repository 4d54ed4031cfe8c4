"""What a Dockerfile may copy: the files of a folder, less what its .dockerignore names."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path


def files(folder: Path) -> list[Path]:
    """The files that a builder is given, relative to `folder`, sorted."""
    ignore = folder / ".dockerignore"
    patterns = parse(ignore.read_text()) if ignore.exists() else []
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        here = Path(path).relative_to(folder)
        found += [here / name for name in names if not is_ignored(here / name, patterns)]
    return sorted(found)


def parse(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """Patterns of a .dockerignore in their order, each with whether it ignores (False for a line with `!`)."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("#")]
    return [(_expression(line.removeprefix("!").strip("/")), not line.startswith("!")) for line in kept]


def is_ignored(path: Path, patterns: list[tuple[re.Pattern[str], bool]]) -> bool:
    """Whether the last pattern that matches `path`, or a folder that it is in, ignores it."""
    candidates = [str(path), *(str(parent) for parent in path.parents)]
    ignored = False
    for pattern, ignores in patterns:
        if any(pattern.fullmatch(candidate) for candidate in candidates):
            ignored = ignores
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(pieces.get(part, re.escape(part)) for part in parts))


def digest(folder: Path) -> str:
    """A hash of the names, modes and contents of `files(folder)`."""
    whole = hashlib.sha256()
    for file in files(folder):
        path = folder / file
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        head = f"{file}\0{path.lstat().st_mode & 0o777:o}\0{len(content)}\0"
        whole.update(head.encode() + content)
    return whole.hexdigest()
