"""The environments of programs that are not ours: clients, MLServer, schemathesis. Each is its own, and pinned.

What goes into one is in `locks/<name>.lock`, with hashes. It is kept outside the checkout under a key of the lock
and of this Python, so that every checkout shares it. pip is the one beside this Python, with this machine's
configuration. Such an environment is used as `<python> -m <module>`: its scripts name the folder that it was made in.

    python -m tests.gateway.environments        makes all that are missing
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import interrupts
from tests.cluster.cache import cache_dir, kept
from tests.cluster.progress import Progress

_LOCKS = Path(__file__).parent / "locks"
_ABOUT_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
_SHOWN = 20


class EnvironmentMissing(Exception):
    """An environment cannot be made; the message says why, with pip's last lines."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that holds what one lock lists."""

    name: str
    below: tuple[int, int] | None = None
    """The first Python for which its packages say that they are not made; None: they say nothing."""

    @property
    def lock(self) -> Path:
        """The packages, pinned."""
        return _LOCKS / f"{self.name}.lock"

    @property
    def folder(self) -> Path:
        """Where it is, or will be."""
        build = f"{sysconfig.get_platform()} {sys.version} {sys.base_prefix}".encode()
        key = hashlib.sha256(self.lock.read_bytes() + build).hexdigest()[:16]
        return cache_dir("environments") / f"{self.name}-{key}"

    @property
    def cannot_be(self) -> str:
        """Why this Python cannot have it; empty when it can."""
        if self.below is None or sys.version_info < self.below:
            return ""
        return f"{self.name} is made for Python below {'.'.join(map(str, self.below))}; this is {sys.version}"


TRITON = Environment("triton")
KSERVE = Environment("kserve", below=(3, 14))
OPENAPI = Environment("openapi")
MLSERVER = Environment("mlserver", below=(3, 13))
SCHEMATHESIS = Environment("schemathesis")
ALL = (TRITON, KSERVE, OPENAPI, MLSERVER, SCHEMATHESIS)


def are_made() -> bool:
    """Whether none of those that this Python can have is still to be made."""
    return all(one.folder.exists() for one in ALL if not one.cannot_be)


def python(environment: Environment, progress: Progress) -> Path:
    """The Python of an environment, which is made when it is missing. Raises EnvironmentMissing."""
    folder = kept(
        environment.folder,
        lambda part: _make(environment, part, progress),
        what=f"the environment {environment.name}",
        progress=progress,
    )
    return folder / "bin" / "python"


def variables(**more: str) -> dict[str, str]:
    """The variables for a program in such an environment: this process's without what is about its own Python."""
    return {name: value for name, value in os.environ.items() if name not in _ABOUT_PYTHON} | more


def _make(environment: Environment, folder: Path, progress: Progress) -> None:
    with progress.during(f"Making the environment {environment.name}"):
        venv.create(folder, symlinks=True, with_pip=False)
        _run_pip(environment, folder / "bin" / "python")


def _run_pip(environment: Environment, its_python: Path) -> None:
    """Byte code is not written for all of it: what is imported is compiled then, once."""
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--no-compile", "--no-input")
    command = [sys.executable, "-m", "pip", f"--python={its_python}", "install", *options]
    done = subprocess.run(
        [*command, f"--requirement={environment.lock}"], env=variables(), capture_output=True, text=True
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN:])
        raise EnvironmentMissing(f"pip cannot install {environment.lock}:\n{said}")


def main() -> int:
    """Make all that are missing; say where each is."""
    progress = Progress()
    try:
        with interrupts.raised():
            for environment in ALL:
                place = environment.cannot_be or python(environment, progress).parents[1]
                print(f"{environment.name:<14} {place}", flush=True)
    except EnvironmentMissing as error:
        print(error, file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupted:
        print("Interrupted; what was finished is kept.", file=sys.stderr)
        return interrupted.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
