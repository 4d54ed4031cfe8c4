"""The API reference is made from the types, and is as new as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.api.crds import RESOURCES
from scripts.reference import FOLDER, NoExample, fields, main, page, values
from tests.support.fake_api import schemas

SCHEMAS = {kind.plural: schema for kind, schema in schemas().items()}


def test_no_page_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_no_page_is_left_of_a_kind_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {"README", *SCHEMAS}


@pytest.mark.parametrize("plural", SCHEMAS)
def test_every_field_has_a_row(plural: str) -> None:
    text = (FOLDER / f"{plural}.md").read_text("utf-8")
    parts = SCHEMAS[plural]["properties"]

    paths = [field.path for part in ("spec", "status") if part in parts for field in fields(parts[part])]
    assert paths
    missing = [path for path in paths if f"| `{path}` |" not in text]
    assert not missing, f"docs/api/{plural}.md has no row for {missing}: run `make docs`"


@pytest.mark.parametrize("plural", SCHEMAS)
def test_every_default_and_every_rule_is_told(plural: str) -> None:
    text = (FOLDER / f"{plural}.md").read_text("utf-8")
    schema = SCHEMAS[plural]

    for rule in schema.get("x-kubernetes-validations", ()):
        assert rule["message"].replace("<", "&lt;") in text
    for field in fields(schema["properties"]["spec"]):
        if isinstance(field.schema.get("default"), str | bool | int):
            rows = (line for line in text.splitlines() if line.startswith(f"| `{field.path}` |"))
            row = next(rows, None)
            assert row, f"docs/api/{plural}.md has no row for {field.path}: run `make docs`"
            assert (
                f"| `{str(field.schema['default']).replace('True', 'true').replace('False', 'false')}` |"
                in row
            )


def test_a_field_that_no_example_shows_is_named() -> None:
    model = next(resource for resource in RESOURCES if resource.kind.plural == "custommodels")

    with pytest.raises(NoExample, match="targetType"):
        page(model, [{"spec": {}}], "")


def test_values_are_found_in_lists_and_maps() -> None:
    manifest = {"a": [{"b": 1}, {"b": 2}], "m": {"x": {"c": 3}}}

    assert list(values(manifest, "a[].b")) == [1, 2]
    assert list(values(manifest, "m[*].c")) == [3]
    assert list(values(manifest, "none.b")) == []


def test_the_examples_are_there_for_every_kind() -> None:
    assert {path.stem for path in Path(FOLDER, "examples").glob("*.yaml")} == set(SCHEMAS)
