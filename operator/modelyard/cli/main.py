"""`modelyard <command>`: the way into the program, which heeds Ctrl-C before it imports anything that takes time."""

from __future__ import annotations

import os
import signal
import sys

from modelyard.cli.usage import EXIT_INTERRUPTED


def main(argv: list[str] | None = None) -> int:
    """Run the command that the arguments name; its exit code. Arguments that cannot be understood: exit 2."""
    if sys.stderr is None:  # It was closed: Python would print on stdout what is meant for it.
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    arguments = sys.argv[1:] if argv is None else argv
    stopped = f"{' '.join(['modelyard', *arguments[:1]])}: stopped by SIGINT\n"

    def end(*_: object) -> None:
        os.write(2, stopped.encode("utf-8", "replace"))
        os._exit(EXIT_INTERRUPTED)

    # Libraries make errors of their own of an interruption while they are imported, and nothing is to be cleaned up.
    before = signal.signal(signal.SIGINT, end)
    try:
        from modelyard.cli.commands import chosen

        run = chosen(arguments)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        return run()
    except KeyboardInterrupt:  # Where the command itself does not heed it: it reads its data, say.
        sys.stderr.write(stopped)
        return EXIT_INTERRUPTED
