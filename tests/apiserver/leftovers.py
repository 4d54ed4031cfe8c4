"""What a test has left running."""

from __future__ import annotations

import os
from pathlib import Path


def processes(folder: Path) -> list[str]:
    """Command lines of what runs with files in this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line and f"/{os.getpid()}/" not in str(entry):
            found.append(line)
    return found
