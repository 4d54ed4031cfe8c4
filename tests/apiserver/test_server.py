"""The API server of the tests leaves nothing behind, however its starter ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.apiserver.leftovers import processes
from tests.apiserver.server import running
from tests.cluster.waiting import until

ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from pathlib import Path
from tests.apiserver.server import running
with running(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(300)
"""


def test_nothing_runs_after_the_block(tmp_path: Path) -> None:
    with running(tmp_path / "here") as server:
        assert server.request("GET", "/version").status == 200
        assert len(processes(tmp_path / "here")) == 2

    assert processes(tmp_path / "here") == []


def test_nothing_runs_after_the_starter_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'operator'}"},
        stdout=subprocess.PIPE,
    )
    assert starter.stdout is not None
    with starter.stdout as output:
        assert output.readline() == b"ready\n"
    assert len(processes(folder)) == 3

    starter.send_signal(signal.SIGKILL)
    starter.wait()

    until("etcd and the API server end", lambda: not processes(folder), timeout=10)
