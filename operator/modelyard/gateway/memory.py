"""How freed memory is kept for the next request."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 32 * 1024 * 1024
_LARGE: Final = 8 * 1024 * 1024


def keep_freed_memory() -> bool:
    """Let the C library keep up to 32 MiB that were freed, where it would give back each large body at once.

    To be given each page of it anew for the next one took two fifths of what a tensor of 1 MB costs. Pieces above
    8 MiB still go back at once. False where there is no such setting: only glibc knows it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _LARGE))
