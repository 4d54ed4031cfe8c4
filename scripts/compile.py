"""Compile the hot path of the gateway with mypyc, in a copy of the operator's sources.

    python compile.py FOLDER

FOLDER holds `modelyard`. Beside each of MODULES comes what Python then loads in its place, and in FOLDER a library that
they share. It needs a C compiler, the headers of this Python, and the packages of requirements/compiled.lock.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

MODULES = (
    "modelyard.gateway.access_log",
    "modelyard.gateway.call",
    "modelyard.gateway.engine",
    "modelyard.gateway.lanes",
    "modelyard.gateway.protocol.answer",
    "modelyard.gateway.protocol.columns",
    "modelyard.gateway.protocol.datatypes",
    "modelyard.gateway.protocol.framing",
    "modelyard.gateway.protocol.predictions",
    "modelyard.gateway.protocol.raw",
    "modelyard.gateway.protocol.request",
    "modelyard.gateway.protocol.words",
    "modelyard.gateway.replies",
    "modelyard.gateway.request_ids",
    "modelyard.gateway.route",
    "modelyard.gateway.upstream",
    "modelyard.gateway.way",
    "modelyard.http1.client",
    "modelyard.http1.exchange",
    "modelyard.http1.heads",
    "modelyard.http1.outbox",
    "modelyard.http1.reading",
    "modelyard.http1.row",
    "modelyard.http1.server",
    "modelyard.http1.strictness",
    "modelyard.http1.writing",
)
"""What costs time with every request. No class in them has a base of Python's own but NamedTuple and Protocol: what
mypyc makes of such a class ends the process when a weak reference to it outlives it."""

_CHECKS = ("--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent")
"""Packages of others are not looked into, so that what comes out does not depend on which are there."""

_UNREACHABLE = "--warn-unreachable"
"""What mypy holds for unreachable is left out of what is compiled, though a call may have made it reachable."""


def missing() -> str:
    """What this machine lacks to compile; empty: nothing."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return f"there is no Python.h in {sysconfig.get_path('include')}, the headers of this Python"
    lacking = [name for name in ("mypyc", "setuptools") if importlib.util.find_spec(name) is None]
    return f"there is no package {' and no '.join(lacking)}" if lacking else ""


def compile_in(folder: Path) -> None:
    """Compile MODULES of the sources in `folder`. Ends the process where mypyc or the compiler refuses."""
    from mypyc.build import mypycify
    from setuptools import setup  # type: ignore[import-untyped]

    modules = [f"{module.replace('.', '/')}.py" for module in MODULES]
    with tempfile.TemporaryDirectory() as scratch:
        # By themselves: mypy would take the packages of others that lie beside them for modules of ours.
        sources = Path(scratch, "sources")
        shutil.copytree(folder / "modelyard", sources / "modelyard")
        os.chdir(sources)
        extensions = mypycify(
            [*_CHECKS, _UNREACHABLE, f"--cache-dir={scratch}/checked", *modules],
            opt_level="2",
            debug_level="0",
            target_dir=f"{scratch}/written",
            group_name="modelyard",
        )
        options = ("--quiet", "--inplace", f"--build-temp={scratch}/made", f"--build-lib={scratch}/built")
        setup(name="modelyard", packages=[], ext_modules=extensions, script_args=["build_ext", *options])
        os.chdir(folder)
        for library in sources.rglob("*.so"):
            shutil.copy(library, folder / library.relative_to(sources))


def main(arguments: list[str]) -> int:
    """See the module."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    if lack := missing():
        print(f"The gateway cannot be compiled: {lack}.", file=sys.stderr)
        return 1
    compile_in(Path(arguments[0]).resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
