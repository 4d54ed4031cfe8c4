"""The YAML that the pages and the examples show is YAML that the API server takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.labels import API_VERSION
from tests.apiserver.said import path_of, refusal
from tests.apiserver.server import ApiServer
from tests.support.pages import blocks, title, tracked

PAGES = [page for page in tracked("*.md") if blocks(page, "yaml")]
FILES = [path for pattern in ("examples/*.yaml", "docs/*.yaml") for path in tracked(pattern)]


def ours(text: str) -> list[dict[str, Any]]:
    """The objects of our kinds in a YAML stream; a part of an object (a field with what is in it) is none."""
    documents = [document for document in yaml.safe_load_all(text) if isinstance(document, dict)]
    return [document for document in documents if document.get("apiVersion") == API_VERSION]


def check(server: ApiServer, namespace: str, manifest: dict[str, Any]) -> None:
    path = path_of(manifest, namespace) + "?fieldValidation=Strict&dryRun=All"
    answer = server.request("POST", path, manifest)

    assert answer.status == 201, refusal(answer) or answer.message


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_yaml_of_a_page_is_taken(page: Path, server: ApiServer, namespace: str) -> None:
    for block in blocks(page, "yaml"):
        for manifest in ours(block):
            check(server, namespace, manifest)


@pytest.mark.parametrize("file", FILES, ids=title)
def test_the_yaml_of_a_file_is_taken(file: Path, server: ApiServer, namespace: str) -> None:
    for manifest in ours(file.read_text("utf-8")):
        check(server, namespace, manifest)


def test_there_are_pages_and_files_with_objects_of_ours() -> None:
    pages = [manifest for page in PAGES for block in blocks(page, "yaml") for manifest in ours(block)]
    files = [manifest for file in FILES for manifest in ours(file.read_text("utf-8"))]

    assert len(pages) >= 9
    assert len(files) >= 12
