"""The cluster's own processes: started in the background, and found again by the mark that they carry."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.local.commands import inside
from tests.cluster.local.layout import MARK, STATE
from tests.cluster.tools import tool

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""What the programs find runc, shims, iptables and ipset in: Debian's, whatever the user's own PATH says."""

# Kept so that a process that ends while its starter still runs is not taken for a live one, and so that
# the interpreter does not complain about a process that is meant to outlive it.
_started: list[tuple[str, subprocess.Popen[bytes]]] = []


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A living process of the cluster. `role` is `<program>` or `<program>/<node>`."""

    role: str
    pid: int
    program: str

    @property
    def node(self) -> str | None:
        """The node it belongs to; None for the control plane."""
        return self.role.partition("/")[2] or None


def start(
    role: str, command: list[str], *, namespace: str | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Start `command` (its first word a tool or a path) so that it outlives this process, writing to its log file."""
    if "/" not in command[0]:
        command = [str(tool(command[0])), *command[1:]]
    if namespace is not None:
        command = inside(namespace, command)
    log = log_file(role)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=STATE,
            env={**os.environ, "PATH": _PATH, **(env or {}), MARK: role},
            start_new_session=True,
        )
    _started.append((role, process))


def log_file(role: str) -> Path:
    """Where a process writes."""
    return STATE / "log" / f"{role.replace('/', '-')}.log"


def ended() -> str | None:
    """Which of the processes that were started here has ended, and its last words; None when all live."""
    for role, process in _started:
        if process.poll() is not None:
            words = log_file(role).read_text(errors="replace").splitlines()[-5:]
            return "\n".join([f"{role} ended with {process.returncode}:", *words])
    return None


def forget() -> None:
    """Processes that were started before this are no longer waited for by `ended`."""
    running()
    _started.clear()


def running() -> list[Process]:
    """Every living process that carries the mark: those started here and all that they started."""
    for _, started in _started:
        started.poll()
    found = (_marked(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return sorted(process for process in found if process is not None)


def _marked(pid: int) -> Process | None:
    if pid == os.getpid():
        return None
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        if MARK.encode() not in environ or is_dead(pid):
            return None
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    role = role_of(environ)
    return Process(role, pid, program) if role is not None else None


def role_of(environ: bytes) -> str | None:
    """The mark's value in a process's environment as /proc shows it; None without one."""
    for variable in environ.split(b"\0"):
        name, _, value = variable.partition(b"=")
        if name == MARK.encode():
            return value.decode(errors="replace")
    return None


def is_dead(pid: int) -> bool:
    """Whether the process is gone, or only waits for its parent to notice its end."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def kill(pids: Iterable[int]) -> None:
    """End processes at once: no state of a cluster is kept, and some take seconds to end politely."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def memory_mib(pid: int) -> int:
    """The process's proportional share of memory, in MiB; 0 when it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024
