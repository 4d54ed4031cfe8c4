"""Routes of a file follow the file."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from modelyard.gateway.route import Table
from modelyard.gateway.routes.document import RoutesError
from modelyard.gateway.routes.file import FileRoutes, read_routes
from tests.support.eventually import eventually


def document(*pods: str, name: str = "flats") -> dict[str, Any]:
    """The routes of one model with these pods."""
    target = {"type": "Regression", "name": "price"}
    return {"models": [{"name": name, "target": target, "versions": [{"label": "1.0", "pods": list(pods)}]}]}


def write(path: Path, found: object) -> None:
    """Replace the file at once, as an editor does."""
    aside = path.with_name("aside")
    aside.write_text(json.dumps(found))
    os.replace(aside, path)


def write_over(path: Path, found: object) -> None:
    """Change the file that is there."""
    path.write_text(json.dumps(found))


def pods(routes: FileRoutes) -> list[str]:
    """The hosts of the pods that are known."""
    return hosts(routes.table)


def hosts(table: Table) -> list[str]:
    """The hosts of the pods of `flats`."""
    models = [model for model in table.models.values() if model.name == "flats"]
    return [pod.host for model in models for version in model.versions.values() for pod in version.pods]


@asynccontextmanager
async def following(path: Path) -> AsyncIterator[FileRoutes]:
    """Routes that follow the file, quickly."""
    routes = FileRoutes(path, period=0.001)
    task = asyncio.create_task(routes.run())
    try:
        yield routes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    write(path, document("a:80"))
    return path


async def test_a_file_is_read_and_the_table_then_complete(path: Path) -> None:
    async with following(path) as routes:
        assert not routes.synced.is_set()
        await routes.synced.wait()
        assert pods(routes) == ["a"]


async def test_a_file_that_is_replaced_is_read_again(path: Path) -> None:
    async with following(path) as routes:
        await routes.synced.wait()
        write(path, document("b:80"))
        await eventually(lambda: pods(routes) == ["b"])


async def test_a_file_that_is_written_in_place_is_read_again(path: Path) -> None:
    async with following(path) as routes:
        await routes.synced.wait()
        write_over(path, document("longer:80"))
        await eventually(lambda: pods(routes) == ["longer"])


async def test_a_config_map_that_flips_its_link_is_read_again(tmp_path: Path) -> None:
    for state, pod in (("one", "a:80"), ("two", "b:80")):
        (tmp_path / state).mkdir()
        write(tmp_path / state / "routes.yaml", document(pod))
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "routes.yaml").symlink_to("..data/routes.yaml")
    async with following(tmp_path / "routes.yaml") as routes:
        await routes.synced.wait()
        (tmp_path / "..next").symlink_to("two")
        os.replace(tmp_path / "..next", tmp_path / "..data")
        await eventually(lambda: pods(routes) == ["b"])


async def test_a_broken_file_keeps_the_last_good_table_and_says_so_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with following(path) as routes:
        await routes.synced.wait()
        write(path, {"models": [{"name": "x"}]})
        await eventually(lambda: caplog.records)
        os.unlink(path)
        await eventually(lambda: len(caplog.records) == 2)
        assert (pods(routes), routes.unreadable) == (["a"], 1)
        write(path, document("c:80"))
        await eventually(lambda: pods(routes) == ["c"])
        assert routes.unreadable == 0
    broken, gone = caplog.records
    assert broken.levelno == logging.ERROR
    assert getattr(broken, "reason", "").startswith("models[0].versions is missing")
    assert getattr(gone, "reason", "") == f"{path} cannot be read: No such file or directory"


async def test_a_file_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    async with following(tmp_path / "routes.yaml") as routes:
        write(tmp_path / "routes.yaml", document("a:80"))
        await routes.synced.wait()
        assert pods(routes) == ["a"]


async def test_who_follows_is_told_and_what_did_not_change_is_the_same_object(path: Path) -> None:
    told: list[tuple[Table, Table]] = []
    async with following(path) as routes:
        await routes.synced.wait()
        routes.subscribe(lambda old, new: told.append((old, new)))
        write(path, {"models": [*document("b:80", "c:80")["models"], *document("d:80", name="x")["models"]]})
        await eventually(lambda: told)
        write(path, {"models": [*document("c:80")["models"], *document("d:80", name="x")["models"]]})
        await eventually(lambda: len(told) == 2)
    (first, old), (_, new) = told
    assert (hosts(first), hosts(old), hosts(new)) == (["a"], ["b", "c"], ["c"])
    assert old.models["default", "x"] is new.models["default", "x"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"models: [", "the file is no YAML: while parsing a flow node"),
        (b"models: []\nmodels: []\n", "the file is no YAML: a field is there twice"),
        (b'{"models": [], "models": []}', "the file is no YAML: a field is there twice"),
        (b'{"models": [}', "the file is no YAML: while parsing a flow node"),
        (b"[" * 800, "the file is nested too deeply; write it flatter"),
        (b"- " * 800, "the file is nested too deeply; write it flatter"),
        (b"models: !!int x\n", "the file is no YAML: "),
        (b"\xff\xfe", "the file is not text in UTF-8"),
        (b"", "null is no mapping"),
    ],
)
def test_a_file_that_is_no_document_of_routes(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_bytes(text)
    with pytest.raises(RoutesError) as caught:
        read_routes(path)
    assert str(caught.value).startswith(said)


def test_yaml_may_say_once_what_models_share(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(
        """
        models:
          - &flats
            name: flats
            target: {type: Regression, name: price}
            versions: [{label: "1.0", pods: ["a:80"]}]
          - <<: *flats
            name: houses
        """
    )
    assert set(read_routes(path).models) == {("default", "flats"), ("default", "houses")}
