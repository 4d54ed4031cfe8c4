"""Keeps a model's processes: starts its server, tells how that ends, and in the end leaves nothing of it alive.

    supervisor.py STATUS GRACE COMMAND...

A program of its own, of the standard library alone. It ends everything as soon as its stdin closes, which
happens whatever becomes of the process that started it. On Linux it adopts orphans, so that a server that
went into the background, into a session of its own even, is still found below it.

It writes lines to the file descriptor STATUS, each a word and its arguments:

    failed ERRNO     the command could not be started
    exited CODE LEFT the command ended (negative: by that signal), and LEFT processes that it started run on
    ended HOW        nothing of it is alive any more; `killed` when some had to be, GRACE seconds after SIGTERM
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 10.0
"""How long SIGKILL is sent again and again to processes that make new ones faster than they end."""


def main(arguments: Sequence[str]) -> int:
    """Run COMMAND until it is told to end it; always 0."""
    with os.fdopen(int(arguments[0]), "w", buffering=1) as status:
        os.set_inheritable(status.fileno(), False)
        keeper = Keeper(status, grace=float(arguments[1]))
        if keeper.start(arguments[2:]):
            keeper.wait()
            keeper.end()
    return 0


class Keeper:
    """One command and all that it started."""

    def __init__(self, status: TextIO, *, grace: float) -> None:
        self._status = status
        self._grace = grace
        self._group = 0
        self._wake, wakes = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        # Handlers that do nothing, not SIG_IGN, which the model would inherit.
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: os.close(0))
        adopt_orphans()

    def start(self, command: Sequence[str]) -> bool:
        """Start the command in a session of its own; False when it cannot be started."""
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            self._say(f"failed {error.errno}")
            return False
        self._group = process.pid
        process.returncode = 0  # It is waited for here, not by subprocess.
        return True

    def wait(self) -> None:
        """Return when stdin closes."""
        while True:
            try:
                ready, _, _ = select.select([0, self._wake], [], [])
            except OSError:
                return
            if self._wake in ready:
                self._reap()
            if 0 in ready and not os.read(0, 1024):
                return

    def end(self) -> None:
        """SIGTERM for all, SIGKILL for those that are alive after the grace."""
        self._signal(signal.SIGTERM)
        killed = not self._all_gone(self._grace)
        deadline = time.monotonic() + _KILL_SECONDS
        while killed and time.monotonic() < deadline:
            self._signal(signal.SIGKILL)
            if self._all_gone(0.1):
                break
        if sys.platform != "linux":  # Orphans are not found there, but most are still of this group.
            self._signal(signal.SIGKILL)
        self._say("ended killed" if killed else "ended")

    def _reap(self) -> bool:
        """Take leave of children that ended; whether any is left. Without a child there is no descendant."""
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._group:
                self._say(f"exited {os.waitstatus_to_exitcode(code)} {len(descendants(os.getpid()))}")

    def _all_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._reap():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if select.select([self._wake], [], [], left)[0]:
                os.read(self._wake, 1024)
        return True

    def _signal(self, number: signal.Signals) -> None:
        for pid in [*descendants(os.getpid()), -self._group]:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue

    def _say(self, line: str) -> None:
        try:
            self._status.write(f"{line}\n")
        except OSError:  # Nobody listens any more.
            return


def adopt_orphans() -> None:
    """Become the parent of descendants that lose theirs; on Linux, elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """The processes below `root` that have not ended; none where there is no /proc."""
    parents = dict(_parents(Path("/proc")))
    found: list[int] = []
    below = {root}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found += below
    return found


def _parents(proc: Path) -> Iterable[tuple[int, int]]:
    """Each process that has not ended, and its parent."""
    for folder in proc.glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):  # It ended meanwhile.
            continue
        if state != "Z":
            yield int(folder.name), int(parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
