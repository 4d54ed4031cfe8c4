"""The operator's sources with the gateway's hot path compiled, as the image has them on demand. Kept like other tools.

Where the C compiler or the headers of Python are missing, root of a Debian gets them by apt. Some Pythons bring their
headers themselves: then nothing is asked of Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from scripts.compile import missing
from tests.cluster.cache import cache_dir, kept, locked
from tests.cluster.progress import Progress
from tests.cluster.tools import key

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "modelyard"
_COMPILE = ROOT / "scripts" / "compile.py"
_LOCK = ROOT / "requirements" / "compiled.lock"
_NOT_BYTECODE = shutil.ignore_patterns("__pycache__")
_KEPT = 4


class NotCompiled(Exception):
    """It cannot be compiled here; the message says why."""


def cannot_be() -> str:
    """Why it cannot be compiled here, and not be made possible either; empty when it can."""
    return "" if os.geteuid() == 0 and shutil.which("apt-get") else missing()


def operator(folder: Path, progress: Progress) -> Path:
    """`folder`, filled with the package `modelyard`, compiled. Raises NotCompiled."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=_NOT_BYTECODE)
    shutil.copytree(_libraries(progress), folder, dirs_exist_ok=True)
    return folder


def _libraries(progress: Progress) -> Path:
    """What is compiled, alone: it depends on the sources of two packages, and on this Python."""
    sources = sorted(path for name in ("gateway", "http1") for path in (PACKAGE / name).rglob("*.py"))
    build = f"{sysconfig.get_platform()} {sys.version} {sys.base_prefix}".encode()
    parts = [str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() for path in sources]
    target = cache_dir("compiled") / key([build, _COMPILE.read_bytes(), _LOCK.read_bytes(), *parts])
    return kept(
        target, lambda folder: _make(folder, progress), what="the compiled gateway", progress=progress
    )


def _make(folder: Path, progress: Progress) -> None:
    _equip(progress)
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=_NOT_BYTECODE)
    with progress.during("Compiling the gateway"):
        _run([sys.executable, str(_COMPILE), str(folder)])
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".so":
            path.unlink()
    for old in sorted(folder.parent.glob("[!.]*"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _equip(progress: Progress) -> None:
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        with locked(cache_dir() / ".apt.lock"), progress.during("Installing a C compiler (apt-get)"):
            _run(["apt-get", "update", "--quiet"])
            _run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "gcc", "libc6-dev"])
            if missing():
                headers = f"libpython3.{sys.version_info[1]}-dev"
                _run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", headers])
    if lack := missing():
        raise NotCompiled(f"{lack[:1].upper()}{lack[1:]}.")


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise NotCompiled(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-3000:]}")
