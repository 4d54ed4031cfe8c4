"""The folders of a trial: a private copy, and nothing of it left."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.local.workspace import Workspace, WorkspaceError, workspace
from tests.support.model_folders import script_folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = script_folder(tmp_path / "model")
    (folder / "lib").mkdir()
    (folder / "lib" / "x.txt").write_text("x")
    (folder / ".git").mkdir()
    return folder


def test_the_copy_has_the_modes_of_a_pod(source: Path) -> None:
    with workspace(source, needs_script=True) as space:
        modes = {
            str(path.relative_to(space.code)): path.stat().st_mode & 0o777 for path in space.code.rglob("*")
        }
        assert list(space.home.iterdir()) == []

    assert modes == {"start_server.sh": 0o555, "lib": 0o555, "lib/x.txt": 0o444}


def test_a_link_is_followed_so_that_what_it_leads_to_stays_as_it_is(source: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.write_text("mine")
    (source / "weights").symlink_to(shared)
    (source / "gone").symlink_to(tmp_path / "absent")

    with workspace(source, needs_script=True) as space:
        assert not (space.code / "weights").is_symlink()
        assert not (space.code / "gone").exists()


def test_nothing_is_left_even_of_a_failure(source: Path) -> None:
    def fail_in(space: Workspace) -> None:
        (space.home / "deep").mkdir()
        (space.home / "deep").chmod(0)
        made.append(space.code.parent)
        raise RuntimeError

    made: list[Path] = []
    with pytest.raises(RuntimeError), workspace(source, needs_script=True) as space:
        fail_in(space)

    assert [path.exists() for path in made] == [False]


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of a user who is not root, who these lines run as."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            yield Path(folder)
    finally:
        os.seteuid(user)


def test_nothing_is_left_of_folders_that_nobody_may_list(
    nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who is not root could not empty what a model had closed; root never noticed."""
    monkeypatch.setattr(tempfile, "tempdir", str(nobody))
    outside = nobody / "outside"
    outside.mkdir(mode=0o555)

    with workspace(script_folder(nobody / "model"), needs_script=True) as space:
        (space.home / "deep" / "deeper").mkdir(parents=True)
        (space.home / "deep" / "file").write_text("x")
        (space.home / "link").symlink_to(outside)
        for folder in ("deep/deeper", "deep"):
            (space.home / folder).chmod(0)

    assert not space.home.parent.exists()
    assert outside.stat().st_mode & 0o777 == 0o555


def test_every_change_is_seen_but_not_byte_code(source: Path) -> None:
    with workspace(source, needs_script=True) as space:
        assert space.changed() == []
        for folder in (space.code, space.code / "lib"):
            folder.chmod(0o755)
        (space.code / "__pycache__").mkdir()
        (space.code / "__pycache__" / "x.pyc").write_text("")
        assert space.changed() == []
        (space.code / "new").write_text("")
        (space.code / "lib" / "x.txt").unlink()
        assert space.changed() == ["lib/x.txt", "new"]


def test_what_cannot_be_copied_is_named(source: Path) -> None:
    os.mkfifo(source / "pipe")

    with (
        pytest.raises(WorkspaceError, match=r"pipe.*cannot be copied"),
        workspace(source, needs_script=True),
    ):
        pass
