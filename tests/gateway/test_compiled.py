"""The gateway with its hot path compiled, as an image may have it: the same tests pass."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryFile

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


def ran(package: Path, *arguments: str, within: float = 600) -> subprocess.CompletedProcess[str]:
    """A Python that finds the compiled package first; a crash leaves a trace.

    One that is not over within so many seconds is ended with what it started, and fails with what it said.
    """
    found = f"{package}{os.pathsep}{compiled.ROOT}"
    environ = {**os.environ, "PYTHONPATH": found, "PYTHONFAULTHANDLER": "1", "PYTHONMALLOC": "debug"}
    command = [sys.executable, *arguments]
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        process = subprocess.Popen(
            command, env=environ, cwd=compiled.ROOT, stdout=out, stderr=err, start_new_session=True
        )
        over = _is_over(process, within)
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(command, process.wait(), out.read(), err.read())
    assert over, f"it was not over within {within:g} s: {(done.stdout + done.stderr)[-5000:]}"
    return done


def _is_over(process: subprocess.Popen[bytes], within: float) -> bool:
    """Whether it ended by itself; afterwards nothing of its group runs."""
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return True


def test_a_run_that_hangs_is_ended_and_tells_what_it_said(tmp_path: Path) -> None:
    hangs = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(AssertionError, match=r"not over within 1 s: (\d+)") as told:
        ran(tmp_path, "-c", hangs, within=1)

    (pid,) = re.findall(r"within 1 s: (\d+)", str(told.value))
    assert not Path(f"/proc/{pid}").exists()


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
