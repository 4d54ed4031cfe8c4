"""The YAML that the pages and the examples show is YAML that the API server takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelyard.api.crds import RESOURCES
from modelyard.api.labels import API_VERSION
from modelyard.rendering.reading import documents_in
from tests.apiserver.said import path_of, refusal
from tests.apiserver.server import ApiServer
from tests.support.pages import ROOT, blocks, title, tracked, yaml_blocks

PAGES = [page for page in tracked("*.md") if blocks(page, "yaml")]
FILES = [path for pattern in ("examples/*.yaml", "docs/*.yaml") for path in tracked(pattern)]
EXAMPLES = ROOT / "docs" / "api" / "examples"

PARTS = [
    pytest.param(place, body, id=f"{title(page)}: {place}")
    for page in PAGES
    for place, body in yaml_blocks(page)
    if place
]


def objects(text: str) -> list[dict[str, Any]]:
    """The objects in a YAML stream, as kubectl reads it."""
    return [document for document in documents_in(text) if isinstance(document, dict)]


def ours(text: str) -> list[dict[str, Any]]:
    """Those of our kinds."""
    return [document for document in objects(text) if document.get("apiVersion") == API_VERSION]


def completed(place: str, part: dict[str, Any]) -> dict[str, Any]:
    """The object of which `part` is shown: the first example of its kind, with the part in its place."""
    kind, *path = place.split(".")
    (found,) = (resource.kind for resource in RESOURCES if resource.kind.name == kind)
    whole = objects((EXAMPLES / f"{found.plural}.yaml").read_text("utf-8"))[0]
    holder = whole
    for name in path:
        holder = holder[name]
    holder.update(part)
    return whole


def check(server: ApiServer, namespace: str, manifest: dict[str, Any]) -> None:
    path = path_of(manifest, namespace) + "?fieldValidation=Strict&dryRun=All"
    answer = server.request("POST", path, manifest)

    assert answer.status == 201, refusal(answer) or answer.message


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_yaml_of_a_page_is_taken(page: Path, server: ApiServer, namespace: str) -> None:
    for block in blocks(page, "yaml"):
        for manifest in ours(block):
            check(server, namespace, manifest)


@pytest.mark.parametrize(("place", "body"), PARTS)
def test_the_part_of_an_object_that_a_page_shows_is_taken(
    place: str, body: str, server: ApiServer, namespace: str
) -> None:
    (part,) = objects(body)

    check(server, namespace, completed(place, part))


def test_a_field_that_is_none_is_refused_in_a_part(server: ApiServer, namespace: str) -> None:
    manifest = completed("ModelTest.spec", {"configuration": {"sideEfects": "skip"}})

    answer = server.request(
        "POST", path_of(manifest, namespace) + "?fieldValidation=Strict&dryRun=All", manifest
    )

    assert 'unknown field "spec.configuration.sideEfects"' in answer.message


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_a_part_of_an_object_names_its_place(page: Path) -> None:
    for place, body in yaml_blocks(page):
        parts = [part for part in objects(body) if "apiVersion" not in part]
        assert place or not parts, f"write its place after the word yaml, as ```yaml ModelTest.spec: {body}"


@pytest.mark.parametrize("file", FILES, ids=title)
def test_the_yaml_of_a_file_is_taken(file: Path, server: ApiServer, namespace: str) -> None:
    for manifest in ours(file.read_text("utf-8")):
        check(server, namespace, manifest)


def test_there_are_pages_and_files_with_objects_of_ours() -> None:
    pages = [manifest for page in PAGES for block in blocks(page, "yaml") for manifest in ours(block)]
    files = [manifest for file in FILES for manifest in ours(file.read_text("utf-8"))]

    assert len(pages) >= 9
    assert PARTS
    assert len(files) >= 12
