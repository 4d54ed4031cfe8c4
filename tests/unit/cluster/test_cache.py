"""What is slow to make is made once, and is there whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cluster.cache import cache_dir, kept, locked
from tests.cluster.progress import Progress

QUIET = Progress(quiet=True)


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir("tools") == tmp_path / "modelyard" / "tools"
    assert cache_dir("tools").is_dir()


def test_a_thing_is_made_once(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "thing").write_text("whole")

    for _ in range(2):
        target = kept(tmp_path / "things", make, what="a thing", progress=QUIET)
        assert (target / "thing").read_text() == "whole"
    assert len(made) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_halfway_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def make(folder: Path) -> None:
        (folder / "thing").write_text("half")
        raise error

    with pytest.raises(error):
        kept(tmp_path / "things", make, what="a thing", progress=QUIET)
    assert [path.name for path in tmp_path.iterdir()] == [".things.lock"]


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".things.abc.part"
    left.mkdir()
    kept(tmp_path / "things", lambda folder: None, what="a thing", progress=QUIET)
    assert not left.exists()


def test_two_that_want_the_same_do_not_both_make_it(tmp_path: Path) -> None:
    made = []
    inside, go_on = threading.Event(), threading.Event()

    def make(folder: Path) -> None:
        made.append(folder)
        inside.set()
        assert go_on.wait(5)

    def want() -> None:
        kept(tmp_path / "things", make, what="a thing", progress=QUIET)

    first, second = threading.Thread(target=want), threading.Thread(target=want)
    first.start()
    assert inside.wait(5)
    second.start()
    go_on.set()
    first.join(5)
    second.join(5)
    assert len(made) == 1


def test_a_lock_goes_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.cluster.cache import locked
with locked(Path({str(tmp_path / "lock")!r})):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waited: list[bool] = []

        def kill_it() -> None:
            waited.append(True)
            holder.kill()

        with locked(tmp_path / "lock", waiting=kill_it):
            assert waited == [True]
