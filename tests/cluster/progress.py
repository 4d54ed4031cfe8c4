"""One line for each thing that takes time: how long it has been, and what is done."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Prints `<seconds since this object was made>  <what>` to standard error; `quiet` prints nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._began = time.monotonic()
        self._quiet = quiet

    @property
    def seconds(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._began

    def say(self, what: str) -> None:
        """Print one line, at once."""
        if not self._quiet:
            print(f"{self.seconds:7.1f} s  {what}", file=sys.stderr, flush=True)

    @contextmanager
    def during(self, what: str, *, every: float = 10.0) -> Iterator[None]:
        """Say what begins, again every `every` seconds while it lasts, and how long it took."""
        began = time.monotonic()
        ended = threading.Event()

        def remind() -> None:
            while not ended.wait(every):
                self.say(f"{what} (for {time.monotonic() - began:.0f} s so far)")

        self.say(what)
        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            yield
        finally:
            ended.set()
            reminder.join()
        self.say(f"{what}: done in {time.monotonic() - began:.1f} s")
