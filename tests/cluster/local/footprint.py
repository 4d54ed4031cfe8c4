"""All that a cluster can leave on a machine, counted, so that before and after can be compared."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, fields
from pathlib import Path

from tests.cluster.local import cgroups, cleanup, processes
from tests.cluster.local.commands import run
from tests.cluster.local.layout import NETNS, PREFIX, STATE


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is there at one moment; every field a sorted tuple of lines."""

    processes: tuple[str, ...]
    namespaces: tuple[str, ...]
    links: tuple[str, ...]
    routes: tuple[str, ...]
    firewall: tuple[str, ...]
    ipsets: tuple[str, ...]
    cgroups: tuple[str, ...]
    mounts: tuple[str, ...]
    sysctls: tuple[str, ...]
    files: tuple[str, ...]


def footprint() -> Footprint:
    """The machine as it is now."""
    return Footprint(
        processes=_processes(),
        namespaces=_names(NETNS),
        links=_names(Path("/sys/class/net")),
        routes=_lines(
            run("ip", "route", "show", "table", "all") + run("ip", "-6", "route", "show", "table", "all")
        ),
        firewall=_lines(run("nft", "list", "ruleset")) + _lines(_legacy_tables()),
        ipsets=_lines(_ipsets()),
        cgroups=_cgroups(),
        mounts=_mounts(),
        sysctls=tuple(f"{name}={value}" for name, value in cleanup.sysctls().items()),
        files=_files(),
    )


def differences(before: Footprint, after: Footprint) -> list[str]:
    """What came and what went, a line each; empty when the machine is as it was."""
    found = []
    for field in fields(Footprint):
        old, new = getattr(before, field.name), getattr(after, field.name)
        found += [f"{field.name}: left behind: {line}" for line in sorted(set(new) - set(old))]
        found += [f"{field.name}: gone: {line}" for line in sorted(set(old) - set(new))]
    return found


def _processes() -> tuple[str, ...]:
    marked = {process.pid for process in processes.running()}
    pids = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return tuple(sorted(f"{pid} {_name(pid)}" for pid in pids if pid in marked or _belongs(pid)))


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "(just ended)"


def _belongs(pid: int) -> bool:
    """Whether a process has to do with a cluster, told without its mark: by arguments, folder and cgroup."""
    process = Path("/proc", str(pid))
    try:
        if processes.is_dead(pid):
            return False
        words = (process / "cmdline").read_bytes().decode(errors="replace")
        folder = str((process / "cwd").readlink())
        return (
            str(STATE) in words
            or folder.startswith(str(STATE))
            or f"/{PREFIX}n" in (process / "cgroup").read_text()
        )
    except OSError:  # it has just ended, or is the kernel's own
        return False


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in folder.iterdir())) if folder.exists() else ()


def _lines(text: str) -> tuple[str, ...]:
    return tuple(sorted(line.strip() for line in text.splitlines() if line.strip()))


def _legacy_tables() -> str:
    tables = Path("/proc/net/ip_tables_names")
    return tables.read_text() if tables.exists() else ""


def _ipsets() -> str:
    # Fails on a kernel that has not loaded the module: then there are none.
    return subprocess.run(["ipset", "list", "-name"], capture_output=True, text=True).stdout


def _cgroups() -> tuple[str, ...]:
    return tuple(
        sorted(str(path) for path in cgroups.ROOT.rglob("*") if path.is_dir() and not path.is_symlink())
    )


def _mounts() -> tuple[str, ...]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return tuple(sorted(line.split()[4] for line in lines))


def _files() -> tuple[str, ...]:
    found = []
    for folder in (str(STATE), *cleanup.FOLDERS):
        if Path(folder).exists():
            found += [folder, *(f"{folder}/{name}" for name in _names(Path(folder)))]
    return tuple(sorted(found))
