"""What a server that was tried here did besides answering, said in sentences with a next step. Pure."""

from __future__ import annotations

import errno
import os
import shlex
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from modelyard.api.check_report import Finding
from modelyard.local.listeners import Listener
from modelyard.local.process import Exit

_LINES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a server before it was ended."""

    command: Sequence[str]
    first_line: bytes
    """Of the file that is started, where it is one of the model's."""

    start_error: int | None
    exit: Exit | None
    tail: Sequence[str]
    """The last lines that it printed."""

    was_ready: bool
    port: int
    """Where it had to listen."""

    listeners: Sequence[Listener]

    @property
    def has_ended(self) -> bool:
        """Whether its own process is gone, or never began."""
        return self.exit is not None or self.start_error is not None

    @property
    def is_no_service(self) -> bool:
        """Whether it never was a server that stays up, whatever answered."""
        return not self.was_ready or (self.exit is not None and self.exit.left > 0)


def problem_of(seen: Seen) -> str | None:
    """What the server did that it never should; None when it just answered or did not."""
    if seen.start_error is not None:
        return start_problem(seen.command, seen.start_error, seen.first_line)
    if seen.exit is not None:
        return exit_problem(seen.exit, seen.tail, was_ready=seen.was_ready)
    unheard = None if seen.was_ready else port_problem(seen.port, seen.listeners)
    return unheard or address_problem(seen.port, seen.listeners)


def start_problem(command: Sequence[str], number: int, first_line: bytes) -> str:
    """Why a command could not be started."""
    name = command[0].rpartition("/")[2]
    if first_line.endswith(b"\r"):
        return f"{name} has Windows line ends, so its interpreter is not found; save it with Unix ones (LF)"
    if number == errno.ENOEXEC:
        return f"{name} does not say what runs it; begin it with a line #!/bin/sh"
    if number == errno.ENOENT and first_line.startswith(b"#!"):
        interpreter = first_line[2:].strip().decode("utf-8", "replace")
        return f"{name} asks for {interpreter}, which is not on this machine; install it, or change its first line"
    return f"{shlex.join(command)} cannot be started: {os.strerror(number).lower()}"


def exit_problem(ended: Exit, tail: Sequence[str], *, was_ready: bool) -> str:
    """What it means that the server's own process ended."""
    if ended.left:
        rest = "1 process" if ended.left == 1 else f"{ended.left} processes"
        return (
            f"the start command ended ({_code(ended.code)}) and left {rest} in the background; in a pod that is the "
            "end of the server: let it stay in the foreground (exec, no & at its end)"
        )
    when = "after it had been ready" if was_ready else "before it was ready"
    return f"the server ended ({_code(ended.code)}) {when}; {_printed(tail)}"


def _code(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _printed(tail: Sequence[str]) -> str:
    lines = [line.strip() for line in tail if line.strip()][-_LINES_SHOWN:]
    return f"it printed last: {' / '.join(lines)}" if lines else "it printed nothing"


def port_problem(port: int, found: Sequence[Listener]) -> str | None:
    """Why nobody answers on the port that the server was given; None when something listens there."""
    if any(one.port == port for one in found):
        return None
    if not found:
        return f"it listens nowhere; it must listen on port {port}, the value of the variable PORT"
    places = ", ".join(str(one) for one in found)
    return f"it listens on {places}, not on port {port}; it must take the port from the variable PORT"


def address_problem(port: int, found: Sequence[Listener]) -> str | None:
    """Why nobody but this machine gets an answer; None when others do, or it is not known where the server listens."""
    ours = [one for one in found if one.port == port]
    if not ours or not all(one.is_loopback for one in ours):
        return None
    return f"it listens on {ours[0]} only, where no other pod reaches it; listen on 0.0.0.0"


def doubts(changed: Sequence[str], *, was_killed: bool, grace: float) -> list[Finding]:
    """What would go wrong in a cluster although it went well here."""
    found = []
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        message = f"it wrote {changed[0]}{more} into CODE_DIR, which is read-only in a pod; write below HOME"
        found.append(Finding(where="files", message=message))
    if was_killed:
        message = f"it did not end within {grace:g} s of SIGTERM and had to be killed; end on SIGTERM"
        found.append(Finding(where="shutdown", message=message))
    return found
