"""A node's cgroup is made in every hierarchy of version 1, and in the one of version 2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.local import cgroups


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    for name in ("memory", "cpuset", "unified"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    (tmp_path / "cpu").symlink_to("memory")
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids hugetlb\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    return tmp_path


def test_in_version_1_it_is_made_in_each_hierarchy_once(v1: Path) -> None:
    cgroups.make("/my-n1", v1)
    assert not cgroups.is_v2(v1)
    assert sorted(path.parent.name for path in v1.glob("*/my-n1")) == ["cpu", "cpuset", "memory"]
    assert not (v1 / "unified" / "my-n1").exists()


def test_in_version_1_processes_may_enter_it(v1: Path) -> None:
    cgroups.make("/my-n1", v1)
    assert (v1 / "cpuset/my-n1/cpuset.cpus").read_text() == "0-1\n"
    assert (v1 / "cpuset/my-n1/cpuset.mems").read_text() == "0\n"


def test_in_version_2_its_controllers_are_switched_on(v2: Path) -> None:
    cgroups.make("/my-n1", v2)
    assert cgroups.is_v2(v2)
    assert (v2 / "my-n1").is_dir()
    assert (v2 / "cgroup.subtree_control").read_text() == "+pids"  # the last one that was wanted and not on


def test_ours_are_found_deepest_first_and_others_are_left(v1: Path) -> None:
    deepest_first = ["memory/my-n1/pods/a", "memory/my-n1/pods"]
    for path in (deepest_first[0], "memory/other/my-n1"):
        (v1 / path).mkdir(parents=True)
    found = cgroups.ours("my-", v1)
    assert found[:2] == [v1 / path for path in deepest_first]
    assert v1 / "memory/other/my-n1" not in found


def test_one_that_goes_while_it_is_looked_into_is_no_trouble(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (v1 / "memory/my-n1/gone").mkdir(parents=True)
    look = os.scandir

    def vanishing(path: str | Path) -> Any:
        if Path(path).name == "gone":
            Path(path).rmdir()
        return look(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert v1 / "memory/my-n1" in cgroups.ours("my-", v1)


def test_what_runc_makes_beside_the_hierarchies_of_version_1_is_found_too(v1: Path) -> None:
    (v1 / "unified/my-n1").mkdir()
    assert cgroups.ours("my-", v1) == [v1 / "unified/my-n1"]


def test_processes_are_read_of_all_of_them(tmp_path: Path) -> None:
    for name, pids in {"a": "1\n2\n", "b": "", "gone": None}.items():
        (tmp_path / name).mkdir()
        if pids is not None:
            (tmp_path / name / "cgroup.procs").write_text(pids)
    assert cgroups.processes([tmp_path / name for name in ("a", "b", "gone")]) == {1, 2}
