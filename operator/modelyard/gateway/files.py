"""Open files: each connection is one, and no more may be open than the system lets a process have."""

from __future__ import annotations

import errno
import resource
from contextlib import suppress
from typing import Final

_NONE_LEFT: Final = frozenset((errno.EMFILE, errno.ENFILE))


def allow_all_files() -> None:
    """Let this process, and those that it starts, open as many files as it may allow itself.

    The limit at first is often 1024, which is there for programs that use select(2).
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # Some systems say more than they then allow.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def none_left(error: Exception) -> bool:
    """Whether something failed because no more files may be open, of this process or of the machine."""
    return isinstance(error, OSError) and error.errno in _NONE_LEFT
