"""A trial that is stopped leaves nothing running, however it is stopped and whatever the model does about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.eventually import eventually
from tests.support.model_folders import processes_of, script_folder

STUBBORN = (
    "trap '' TERM INT",
    "sleep 600 &",
    # A daemon of the old school: a session of its own, no parent, and deaf to SIGTERM.
    "(setsid sh -c \"trap '' TERM INT HUP; echo daemon runs; sleep 600; sleep 600\" &)",
    "sleep 600; sleep 600",
)
TRY = """
import sys
from modelyard.cli.try_model import main
from modelyard.cli.trial import Patience
sys.exit(main(sys.argv[1:], patience=Patience(grace=0.2)))
"""
IN_FRONT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""As a shell starts what a person waits for; what it starts in the background, these tests too, is deaf to Ctrl-C."""

MODELYARD = "import sys; from modelyard.cli.main import main; sys.exit(main(sys.argv[1:]))"


@contextmanager
def trial(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A running `modelyard try` in a process group of its own, its model stubborn and started."""
    script_folder(folder, *STUBBORN)
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", TRY, str(folder)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            assert process.stderr is not None
            assert any("daemon runs" in line for line in process.stderr)
            assert len(processes_of(folder.name)) >= 3  # The supervisor, the script and the daemon at least.
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_to_the_group_ends_all(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """As Ctrl-C in a terminal does, which every process of the group gets."""
    folder = tmp_path / f"model-{uuid4().hex}"
    with trial(folder) as process:
        os.killpg(process.pid, number)
        out, error = process.communicate(timeout=20)

    assert process.returncode == code
    assert error.endswith(f"modelyard try: stopped by {number.name}; nothing of the model runs on\n")
    assert out == ""
    assert processes_of(folder.name) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_impatience_does_not_leave_anything_behind(tmp_path: Path) -> None:
    folder = tmp_path / f"model-{uuid4().hex}"
    with trial(folder) as process:
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=20)

    assert process.returncode == 130
    assert processes_of(folder.name) == []


SWALLOWS = """
import os, signal, sys
from modelyard.cli import commands, main
def import_module(name):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        raise SystemError("a module could not be made") from None
commands.importlib.import_module = import_module
sys.exit(main.main(["try", "model"]))
"""


def test_ctrl_c_while_libraries_are_imported_is_one_line() -> None:
    """Some of them make other errors of it, which ended in long tracebacks and the exit code of a bad model."""
    done = subprocess.run([sys.executable, "-c", SWALLOWS], capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "modelyard try: stopped by SIGINT\n")


@pytest.mark.parametrize("command", ["try", "check"])
def test_ctrl_c_before_anything_is_started_is_one_line(command: str, tmp_path: Path) -> None:
    """Here while the data is read, which somebody is slow to write."""
    script_folder(tmp_path / "model")
    rows = tmp_path / "rows.csv"
    os.mkfifo(rows)
    what = str(tmp_path / "model") if command == "try" else "--url=http://127.0.0.1:9"
    with (
        subprocess.Popen(
            [sys.executable, "-c", f"{IN_FRONT}; {MODELYARD}", command, what, f"--data={rows}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        rows.open("wb"),
    ):  # That is to wait until somebody reads.
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)

    assert (process.returncode, out, error) == (130, "", f"modelyard {command}: stopped by SIGINT\n")


async def test_even_a_killed_trial_ends_its_model(tmp_path: Path) -> None:
    folder = tmp_path / f"model-{uuid4().hex}"
    with trial(folder) as process:
        process.kill()
        process.wait()

    await eventually(lambda: processes_of(folder.name) == [], within=10)
