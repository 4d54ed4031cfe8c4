"""Digests by which files, specs and versions are known. Pure: equal input, equal digest, for ever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from modelyard.api.custom_model_version import CustomModelVersionSpec
from modelyard.api.remembered import remembered
from modelyard.api.source import InlineFile, Source

Manifest = dict[str, Any]

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

_MARK = "\u0000"
"""Starts a content that was replaced by its digest. The API server refuses contents that start so."""


def content_digest(text: str) -> str:
    """`sha256:<hex>` of the text as UTF-8."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def without_contents(manifest: Manifest) -> Manifest:
    """The manifest with every inline content replaced by its marked digest; idempotent.

    What holds no content is shared with the input, which is not changed.
    """
    spec = manifest.get("spec")
    return {**manifest, "spec": _stripped_spec(spec)} if isinstance(spec, dict) else manifest


def is_digest(content: str) -> bool:
    """Whether this is what `without_contents` left in place of a content."""
    return content.startswith(_MARK)


def canonical_hash(value: Any, length: int = 8) -> str:
    """The first hex digits of the SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()[:length]


def files_digest(files: Iterable[InlineFile]) -> str:
    """`sha256:<hex>` over paths, contents and executable bits, whatever the order of the files."""
    entries = sorted([file.path, _digest_of(file.content), file.executable] for file in files)
    return f"sha256:{canonical_hash(entries, 64)}"


def source_digest(source: Source) -> str:
    """`sha256:<hex>` of what the source says: the files, or of a ConfigMap only its name.

    What a ConfigMap held when it was read is told by `files_digest`.
    """
    if source.inline is not None:
        return files_digest(source.inline)
    return f"sha256:{canonical_hash(source.to_json(), 64)}"


def version_key(name: str, spec: CustomModelVersionSpec) -> str:
    """Ten hex digits that stand for a version: its name and all of its spec but the description.

    The order of files and of variables does not count, as it does not to the API server, which freezes the spec.
    Fields at their default do not count, so that a field added by a newer release changes no key. The same
    for a full object and for one that went through `without_contents`.
    """
    return _key(spec, name)


@remembered(1024)
def _key(spec: CustomModelVersionSpec, name: str) -> str:
    fields = spec.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"description", "source"}
    )
    fields.get("environmentVariables", []).sort(key=lambda variable: variable["name"])
    return canonical_hash({"name": name, "spec": fields, "source": source_digest(spec.source)}, 10)


def _digest_of(content: str) -> str:
    return content.removeprefix(_MARK) if is_digest(content) else content_digest(content)


def _stripped_spec(spec: Manifest) -> Manifest:
    stripped = dict(spec)
    for holder in ("source", "dataset"):
        if isinstance(spec.get(holder), dict):
            stripped[holder] = _stripped_files(spec[holder])
    gate = spec.get("gate")
    if isinstance(gate, dict) and isinstance(gate.get("tests"), list):
        stripped["gate"] = {**gate, "tests": [_stripped_test(test) for test in gate["tests"]]}
    return stripped


def _stripped_test(test: Manifest) -> Manifest:
    dataset = test.get("dataset")
    return {**test, "dataset": _stripped_files(dataset)} if isinstance(dataset, dict) else test


def _stripped_files(holder: Manifest) -> Manifest:
    files = holder.get("inline")
    if not isinstance(files, list):
        return holder
    return {**holder, "inline": [{**file, "content": _MARK + _digest_of(file["content"])} for file in files]}
