"""The cgroups that pods live in, one tree a node, under version 1 (many hierarchies) and version 2 (one)."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cluster.local.layout import PREFIX

ROOT = Path("/sys/fs/cgroup")
_WANTED = ("cpuset", "cpu", "io", "memory", "pids")


def is_v2(root: Path = ROOT) -> bool:
    """Whether the machine has the single hierarchy."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The folders under which a node's cgroup has to exist."""
    if is_v2(root):
        return [root]
    return sorted(
        path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name != "unified"
    )


def make(name: str, root: Path = ROOT) -> None:
    """Make the cgroup `name` everywhere; the kubelet wants its root to be there."""
    if is_v2(root):
        _delegate(root)
    for hierarchy in hierarchies(root):
        folder = hierarchy / name.lstrip("/")
        folder.mkdir(exist_ok=True)
        if hierarchy.name == "cpuset":
            for file in (
                "cpuset.cpus",
                "cpuset.mems",
            ):  # empty in a new cgroup of version 1: no process may enter
                (folder / file).write_text((hierarchy / file).read_text())


def _delegate(root: Path) -> None:
    offered = (root / "cgroup.controllers").read_text().split()
    enabled = (root / "cgroup.subtree_control").read_text().split()
    for controller in _WANTED:
        if controller in offered and controller not in enabled:
            (root / "cgroup.subtree_control").write_text(f"+{controller}")


def ours(prefix: str = PREFIX, root: Path = ROOT) -> list[Path]:
    """Every cgroup below a top one that starts with `prefix`, deepest first, ready for rmdir."""
    if not root.exists():
        return []
    # In a machine of both versions runc makes one in the `unified` hierarchy too, though nobody asked it to.
    folders = [root] if is_v2(root) else [*hierarchies(root), root / "unified"]
    tops = [top for folder in folders for top in folder.glob(f"{prefix}*") if top.is_dir()]
    # Path.rglob would raise where one goes meanwhile.
    below = [Path(folder, name) for top in tops for folder, names, _ in os.walk(top) for name in names]
    return sorted([*tops, *below], key=lambda path: len(path.parts), reverse=True)


def processes(cgroups: list[Path]) -> set[int]:
    """The processes in these cgroups."""
    found: set[int] = set()
    for cgroup in cgroups:
        try:
            found.update(int(pid) for pid in (cgroup / "cgroup.procs").read_text().split())
        except OSError:  # the cgroup went away meanwhile, or is of a kind that lists no processes
            continue
    return found
