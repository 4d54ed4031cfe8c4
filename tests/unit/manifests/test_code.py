"""Code as an immutable ConfigMap: bytes, modes and paths survive the way into a pod."""

from __future__ import annotations

from base64 import b64decode

import pytest

from modelyard.manifests.code import CodeFile, code_digest, code_map, volume_items
from tests.unit.manifests.builders import MODEL

TEXT = CodeFile("lib/deep/ä.py", "größe = 1\n".encode())
BINARY = CodeFile("weights.bin", bytes(range(256)))
SCRIPT = CodeFile("start_server.sh", b"#!/bin/sh\n")


@pytest.mark.parametrize(
    ("file", "mode"),
    [
        (CodeFile("a.py", b""), 0o444),
        (CodeFile("run", b"", executable=True), 0o555),
        (CodeFile("start_server.sh", b""), 0o555),
        (CodeFile("start_server.sh", b"", executable=False), 0o555),
        (CodeFile("lib/start_server.sh", b""), 0o444),
    ],
)
def test_only_what_is_executable_is_and_the_start_script_in_the_root_always(
    file: CodeFile, mode: int
) -> None:
    assert file.mode == mode


def _made(*files: CodeFile) -> dict[str, dict[str, str]]:
    return code_map(MODEL, version="hello-1", model="hello", key="k", files=files)


def test_text_stays_text_and_all_else_is_encoded() -> None:
    made = _made(TEXT, BINARY)
    assert list(made["data"].values()) == ["größe = 1\n"]
    assert [b64decode(value) for value in made["binaryData"].values()] == [bytes(range(256))]


@pytest.mark.parametrize(
    ("files", "parts"),
    [((TEXT,), {"data"}), ((BINARY,), {"binaryData"}), ((TEXT, BINARY), {"data", "binaryData"}), ((), set())],
)
def test_there_is_no_empty_part(files: tuple[CodeFile, ...], parts: set[str]) -> None:
    made = _made(*files)
    assert made.keys() & {"data", "binaryData"} == parts
    assert made["immutable"]


def test_every_item_of_the_volume_is_a_key_of_the_config_map() -> None:
    files = (TEXT, BINARY, SCRIPT, CodeFile("copy.py", TEXT.content))
    made = _made(*files)
    keys = made["data"].keys() | made["binaryData"].keys()
    items = volume_items(files)
    assert {item["key"] for item in items} == keys
    assert [item["path"] for item in items] == sorted(file.path for file in files)
    assert len(keys) == 3, "equal files are kept once"
    assert all(len(key) == 32 and key.isalnum() for key in keys)


def test_the_digest_does_not_depend_on_the_order_of_files() -> None:
    assert code_digest([TEXT, BINARY, SCRIPT]) == code_digest([SCRIPT, TEXT, BINARY])
    assert code_digest([TEXT]).startswith("sha256:")
    assert len(code_digest([TEXT])) == 71


@pytest.mark.parametrize(
    "other",
    [
        CodeFile("lib/deep/b.py", TEXT.content),
        CodeFile(TEXT.path, b"other"),
        CodeFile(TEXT.path, TEXT.content, executable=True),
    ],
    ids=["path", "content", "mode"],
)
def test_the_digest_changes_with_every_part_of_a_file(other: CodeFile) -> None:
    assert code_digest([TEXT]) != code_digest([other])


def test_the_digest_is_over_modes_as_they_will_be_and_not_as_they_were_asked() -> None:
    asked = CodeFile("start_server.sh", b"x", executable=True)
    assert code_digest([asked]) == code_digest([CodeFile("start_server.sh", b"x")])


def test_the_config_map_of_other_code_has_another_name() -> None:
    assert _made(TEXT)["metadata"]["name"] != _made(SCRIPT)["metadata"]["name"]
