"""What a command says when it cannot be meant as it was given."""

from __future__ import annotations

EXIT_FINE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class UsageError(Exception):
    """The command cannot run as it was given; the message says why, and what to give instead."""
