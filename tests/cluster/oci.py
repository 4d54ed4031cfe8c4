"""Images as files: OCI layouts, archives of them or of Docker's, and how they get into a registry."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.tools import architecture

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_INDEX = "application/vnd.oci.image.index.v1+json"
_TIMEOUT = 60.0
_GIVE = "give an OCI layout (folder or tar), or what `docker save` wrote"


class NotAnImage(Exception):
    """A file is no image, or holds none for this machine; the message says which file, and what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image in an OCI layout."""

    layout: Path
    digest: str
    media_type: str

    @property
    def manifest(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.blob(self.digest).read_text())
        return parsed

    @property
    def blobs(self) -> list[str]:
        """Digests of the configuration and the layers."""
        return [self.manifest["config"]["digest"], *(layer["digest"] for layer in self.manifest["layers"])]

    def blob(self, digest: str) -> Path:
        return self.layout / "blobs" / digest.replace(":", "/")


def split(name: str) -> tuple[str, str]:
    """The registry (empty when the name has none) and the repository: `docker.io/library/python` has both."""
    first, slash, rest = name.partition("/")
    is_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return (first, rest) if is_registry else ("", name)


@contextmanager
def opened(archive: Path) -> Iterator[Image]:
    """The image in an OCI layout (folder or tar) or in what `docker save` writes. Raises NotAnImage."""
    if archive.is_dir():
        yield image_in(archive)
        return
    if not archive.is_file():
        raise NotAnImage(f"There is no file {archive}: {_GIVE}.")
    with tempfile.TemporaryDirectory(prefix="modelyard-image-") as scratch:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
        except tarfile.TarError as error:
            raise NotAnImage(f"{archive} is no archive of an image: {error}; {_GIVE}.") from error
        yield image_in(_as_layout(Path(scratch), archive))


def image_in(layout: Path) -> Image:
    """The one image in `layout` that is for this machine. Raises NotAnImage."""
    if not (layout / "index.json").exists():
        raise NotAnImage(f"{layout} is no OCI layout: it has no index.json; {_GIVE}.")
    entries = json.loads((layout / "index.json").read_text())["manifests"]
    while True:
        fitting = [entry for entry in entries if _fits(entry)]
        if not fitting:
            raise NotAnImage(f"{layout} holds no image for {architecture()}: build one for it.")
        chosen = Image(layout, fitting[0]["digest"], fitting[0].get("mediaType", MANIFEST))
        if "manifests" not in chosen.manifest:
            return chosen
        entries = chosen.manifest["manifests"]


def _fits(entry: dict[str, Any]) -> bool:
    return bool(entry.get("platform", {}).get("architecture", architecture()) == architecture())


def _as_layout(folder: Path, archive: Path) -> Path:
    if (folder / "index.json").exists():
        return folder
    if not (folder / "manifest.json").exists():
        raise NotAnImage(
            f"{archive} is no archive of an image: it has neither index.json nor manifest.json; {_GIVE}."
        )
    saved = json.loads((folder / "manifest.json").read_text())[0]
    config = json.loads((folder / saved["Config"]).read_text())
    write_layout(folder / "layout", config, [folder / layer for layer in saved["Layers"]])
    return folder / "layout"


def write_layout(layout: Path, config: dict[str, Any], tars: list[Path]) -> None:
    """Write an image of these layers (plain tars) as an OCI layout; `rootfs` of `config` is filled in."""
    (layout / "blobs" / "sha256").mkdir(parents=True)
    packed = [_pack(layout, tar) for tar in tars]
    config = {
        **config,
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in packed]},
        "history": [{"created_by": "modelyard"} for _ in packed],  # buildah refuses a base without
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _add(layout, json.dumps(config, sort_keys=True).encode(), CONFIG),
        "layers": [descriptor for descriptor, _ in packed],
    }
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [_add(layout, json.dumps(manifest).encode(), MANIFEST)],
    }
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _pack(layout: Path, tar: Path) -> tuple[dict[str, Any], str]:
    """A layer's descriptor, and the digest of what it unpacks to."""
    plain, part = hashlib.sha256(), layout / "part"
    with tar.open("rb") as source, part.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
        while block := source.read(1 << 20):
            plain.update(block)
            packed.write(block)
    digest, size = file_digest(part), part.stat().st_size
    part.rename(layout / "blobs" / digest.replace(":", "/"))
    return {"mediaType": LAYER, "digest": digest, "size": size}, "sha256:" + plain.hexdigest()


def _add(layout: Path, data: bytes, media_type: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def file_digest(path: Path) -> str:
    """`sha256:<hex>` of a file."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def push(image: Image, registry: str, repository: str, tag: str) -> str:
    """Bring `image` into a registry that speaks plain HTTP; its digest. Blobs that are there are not sent again.

    Raises OSError when the registry does not answer or refuses.
    """
    for digest in image.blobs:
        if not _has(registry, f"/v2/{repository}/blobs/{digest}"):
            _upload(registry, repository, image.blob(digest), digest)
    path = f"/v2/{repository}/manifests/{tag}"
    _ask(registry, "PUT", path, image.blob(image.digest).read_bytes(), image.media_type)
    return image.digest


def pushed(registry: str, repository: str, tag: str) -> str | None:
    """The digest that `tag` has in the registry; None without one. Raises OSError when nobody answers."""
    connection = http.client.HTTPConnection(registry, timeout=_TIMEOUT)
    try:
        connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST})
        answer = connection.getresponse()
        return answer.getheader("Docker-Content-Digest") if answer.status == 200 else None
    finally:
        connection.close()


def _has(registry: str, path: str) -> bool:
    connection = http.client.HTTPConnection(registry, timeout=_TIMEOUT)
    try:
        connection.request("HEAD", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _upload(registry: str, repository: str, blob: Path, digest: str) -> None:
    location = _ask(registry, "POST", f"/v2/{repository}/blobs/uploads/", b"", "application/octet-stream")
    target = urlsplit(location)
    separator = "&" if target.query else ""
    path = f"{target.path}?{target.query}{separator}digest={digest}"
    with blob.open("rb") as data:
        _ask(registry, "PUT", path, data, "application/octet-stream", length=blob.stat().st_size)


def _ask(registry: str, method: str, path: str, body: Any, content: str, length: int | None = None) -> str:
    """The answer's Location (empty without one); OSError with the registry's words when it refuses."""
    headers = {"Content-Type": content} | ({} if length is None else {"Content-Length": str(length)})
    connection = http.client.HTTPConnection(registry, timeout=_TIMEOUT)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status >= 300:
        raise OSError(f"{method} {re.sub('[?].*', '', path)}: {answer.status} {said[:500]}")
    return answer.getheader("Location") or ""
