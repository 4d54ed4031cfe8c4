"""The programs of the bench: Debian's packages unpacked, our Go programs built; all kept outside the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cache import cache_dir, kept, locked
from tests.cluster.progress import Progress
from tests.cluster.tools import Module, architecture, built, key

_HOME = Path(__file__).parent
PACKAGES = ("nginx", "haproxy", "wrk")
GO = ("model", "reverse", "translating")
_NO_LIBRARY = 127
_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin")


class ProgramMissing(Exception):
    """A program cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Debian packages that were unpacked into a folder, and change nothing on the machine."""

    root: Path

    def program(self, name: str) -> Path:
        """One of its programs."""
        found = [self.root / folder / name for folder in _FOLDERS if (self.root / folder / name).exists()]
        if not found:
            raise ProgramMissing(
                f"No program {name} in the packages below {self.root}: remove it, try again."
            )
        return found[0]

    def version(self, name: str) -> str:
        """What one of them says of its version, without its own name."""
        done = self._asked(name)
        found = re.search(r"\d+(\.\d+)+\S*", done.stdout + done.stderr)
        return found[0] if found else "unknown"

    @property
    def works(self) -> bool:
        """Whether all find their libraries: one that was the machine's own when they were fetched may be gone."""
        return all(self._asked(name).returncode != _NO_LIBRARY for name in PACKAGES)

    def _asked(self, name: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.environ}
        return subprocess.run([str(self.program(name)), "-v"], env=environ, capture_output=True, text=True)

    @property
    def environ(self) -> Mapping[str, str]:
        """Where its programs find their libraries."""
        folders = {str(library.parent) for library in self.root.glob("**/*.so.*")}
        return {"LD_LIBRARY_PATH": ":".join(sorted(folders))}


def go_program(name: str, progress: Progress) -> Path:
    """One of our programs in Go, built when it is missing. Raises tests.cluster.tools.ToolMissing."""
    return built(Module(name, (".",), _HOME), progress) / name


def debian(progress: Progress) -> Unpacked:
    """wrk and the proxies of Debian, with the libraries that this machine lacks. Raises ProgramMissing."""
    release = Path("/etc/os-release").read_bytes()
    recipe = [release, architecture().encode(), *map(str.encode, PACKAGES)]
    target = cache_dir("bench") / f"debian-{key(recipe)}"
    if target.exists() and not Unpacked(target).works:
        shutil.rmtree(target)
    return Unpacked(kept(target, lambda folder: _fetch(folder, progress), what="wrk", progress=progress))


def pinned_version(lock: Path, package: str) -> str:
    """The version of a package in a file of pip's requirements."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock.read_text(), re.MULTILINE)
    return found[1] if found else "unknown"


def _fetch(folder: Path, progress: Progress) -> None:
    """Simulated, an installation tells what would be installed: that is fetched, and unpacked here instead."""
    waiting = "Waiting for another apt-get"
    with locked(cache_dir() / ".apt.lock", waiting=lambda: progress.say(waiting)):
        if os.geteuid() == 0:
            with progress.during("Reading the package lists (apt-get update)"):
                _run(["apt-get", "update", "--quiet"], folder)
        listed = _run(
            ["apt-get", "install", "--simulate", "--reinstall", "--no-install-recommends", *PACKAGES], folder
        )
    packages = installed_by(listed)
    with progress.during(f"Fetching {' '.join(packages)}"):
        _run(["apt-get", "download", "--quiet", *packages], folder)
    for package in folder.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(folder)], folder)
        package.unlink()


def installed_by(listed: str) -> list[str]:
    """The packages that `apt-get install --simulate` says it would install."""
    return re.findall(r"^Inst (\S+)", listed, re.MULTILINE)


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise ProgramMissing(
            f"No {command[0]} on this machine: the bench needs Debian 12 or later."
        ) from None
    if done.returncode != 0:
        raise ProgramMissing(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
    return done.stdout
