"""Images of one Go program each, loaded into every node before its first pod: pause and CoreDNS."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.cluster.cache import cache_dir, kept
from tests.cluster.local.commands import run
from tests.cluster.local.layout import COREDNS_IMAGE, PAUSE_IMAGE, Node
from tests.cluster.progress import Progress
from tests.cluster.tools import architecture, tool

_PROGRAMS = {"pause": PAUSE_IMAGE, "coredns": COREDNS_IMAGE}


def archives(progress: Progress) -> list[Path]:
    """The images as archives that containerd imports, made when missing."""
    return [_archive(program, image, progress) for program, image in _PROGRAMS.items()]


def load(node: Node, archive: Path) -> None:
    """Give `archive` to the node's containerd."""
    run("ctr", "-a", str(node.containerd_socket), "-n", "k8s.io", "images", "import", str(archive))


def _archive(program: str, image: str, progress: Progress) -> Path:
    binary = tool(program)
    target = cache_dir("images") / binary.parent.name

    def make(folder: Path) -> None:
        write_archive(image, binary, folder / "image.tar")

    return kept(target, make, what=f"the image {image}", progress=progress) / "image.tar"


def write_archive(image: str, binary: Path, target: Path) -> None:
    """A docker archive of one layer that holds `binary` and runs it."""
    layer = _layer(binary)
    config = {
        "architecture": architecture(),
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        "config": {"Entrypoint": ["/" + binary.name]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [image], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        _add(archive, "config.json", json.dumps(config).encode())
        _add(archive, "manifest.json", json.dumps(manifest).encode())
        _add(archive, "layer.tar", layer)


def _layer(binary: Path) -> bytes:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        _add(tar, binary.name, binary.read_bytes(), mode=0o755)
    return layer.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
