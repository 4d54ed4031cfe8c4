"""What a command says when it cannot be meant as it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

EXIT_FINE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_NEXT: Mapping[type[OSError], str] = {
    FileNotFoundError: "give the path of one that is there",
    PermissionError: "give yourself the right to read it",
}


class UsageError(Exception):
    """The command cannot run as it was given; the message says why, and what to give instead."""


@contextmanager
def readable(what: str) -> Iterator[None]:
    """UsageError, with what to do next, for what cannot be read inside."""
    try:
        yield
    except UnicodeDecodeError:
        raise UsageError(f"{what} cannot be read: it is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        step = _NEXT.get(type(error), "mend that, or give another file")
        raise UsageError(f"{what} cannot be read: {error.strerror}; {step}") from None
