"""What commands print: whatever the letters, the encoding of the terminal and the fate of who reads it."""

from __future__ import annotations

import io
import os
import sys

from modelyard.cli.usage import UsageError


def write_out(text: str, form: str = "text") -> None:
    """Write to stdout, in UTF-8 what programs read. A reader that went away is no trouble; UsageError for others."""
    if form != "text":
        take_any_letter("utf-8")
    try:
        print(text, end="" if text.endswith("\n") else "\n", flush=True)
    except BrokenPipeError:  # As with `| head`.
        _forget_stdout()
    except OSError as error:
        _forget_stdout()
        raise UsageError(f"stdout cannot be written: {error.strerror}") from None


def take_any_letter(encoding: str | None = None) -> None:
    """Let stdout write what its encoding lacks as a number, in place of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _forget_stdout() -> None:
    """What is still to be written would fail once more when Python ends, and be told then."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
