"""The gateway with its hot path compiled, as an image may have it: the same tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.cluster.progress import Progress
from tests.gateway import compiled

LOOK = """
import importlib
from scripts.compile import MODULES
for name in MODULES:
    module = importlib.import_module(name)
    print("compiled" if module.__file__.endswith(".so") else name)
"""


COST = "tests/unit/gateway/protocol/test_cost.py"
"""Times of plain Python; with memory that is checked, as here, they are others."""


@pytest.fixture(scope="module")
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled package."""
    if reason := compiled.cannot_be():
        pytest.skip(f"the gateway cannot be compiled here: {reason}")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        return compiled.operator(tmp_path_factory.mktemp("compiled"), Progress())


def ran(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python that finds the compiled package first; a crash leaves a trace."""
    found = f"{package}{os.pathsep}{compiled.ROOT}"
    environ = {**os.environ, "PYTHONPATH": found, "PYTHONFAULTHANDLER": "1", "PYTHONMALLOC": "debug"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, cwd=compiled.ROOT, capture_output=True, text=True)


def test_what_is_compiled_is_what_python_loads(package: Path) -> None:
    done = ran(package, "-c", LOOK)
    assert (set(done.stdout.split("\n")), done.stderr) == ({"compiled", ""}, "")


@pytest.mark.parametrize(
    "tests",
    [
        ("tests/unit/gateway", "tests/unit/test_http1.py"),
        ("tests/gateway/test_misbehaving.py", "tests/gateway/test_fuzz.py", "tests/gateway/test_races.py"),
    ],
    ids=["unit", "processes"],
)
def test_its_tests_pass_where_it_is_compiled(package: Path, tests: tuple[str, ...]) -> None:
    found = f"pythonpath={package} {compiled.ROOT}"
    options = ("--quiet", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile", "-o", found)
    done = ran(package, "-m", "pytest", *options, *tests, f"--ignore={COST}")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
