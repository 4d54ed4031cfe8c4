"""A version's code as an immutable ConfigMap: keys are hashes, the volume's items restore the tree."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api import labels
from modelyard.api.digests import canonical_hash
from modelyard.api.kinds import CONFIG_MAP
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.names import child_name

START_SCRIPT = "start_server.sh"
"""The file in a model's root that starts its server (seed 000)."""

READABLE_MODE = 0o444
EXECUTABLE_MODE = 0o555


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One file of a model: its path below the root, its bytes, and whether it may be executed."""

    path: str
    content: bytes
    executable: bool = False

    @property
    def digest(self) -> str:
        """sha256 of the content, as hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def mode(self) -> int:
        """File mode in the pod; the start script is executable whatever the source says."""
        return EXECUTABLE_MODE if self.executable or self.path == START_SCRIPT else READABLE_MODE


def code_digest(files: Sequence[CodeFile]) -> str:
    """`sha256:<hex>` over paths, modes and contents, in any order of the files."""
    listing = sorted((file.path, file.mode, file.digest) for file in files)
    return f"sha256:{canonical_hash(listing, 64)}"


def code_map_name(version: str, *, key: str, digest: str) -> str:
    """Name of the ConfigMap that holds a version's code: no two versions share one, equal as their code may be."""
    return child_name(version, canonical_hash([key, digest]))


def code_map(owner: Owner, *, version: str, model: str, key: str, files: Sequence[CodeFile]) -> Manifest:
    """The immutable ConfigMap of a version's code; text as text, so that people can read it."""
    child = Child(
        CONFIG_MAP,
        code_map_name(version, key=key, digest=code_digest(files)),
        owner,
        {labels.OF_MODEL: model, labels.OF_VERSION: key},
    )
    text: dict[str, str] = {}
    binary: dict[str, str] = {}
    for file in files:
        try:
            text[_data_key(file)] = file.content.decode()
        except UnicodeDecodeError:
            binary[_data_key(file)] = b64encode(file.content).decode()
    return child.manifest(
        immutable=True, **({"data": text} if text else {}), **({"binaryData": binary} if binary else {})
    )


def volume_items(files: Sequence[CodeFile]) -> list[dict[str, Any]]:
    """`items` of the ConfigMap volume: each key's path and mode, by path."""
    return [
        {"key": _data_key(file), "path": file.path, "mode": file.mode}
        for file in sorted(files, key=lambda file: file.path)
    ]


def _data_key(file: CodeFile) -> str:
    return file.digest[:32]
