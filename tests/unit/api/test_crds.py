"""The CRDs as a whole, and the command that writes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.kinds import OWN_KINDS
from modelyard.api.meta import Resource
from modelyard.cli.crds import main, template

Manifest = dict[str, Any]

CRDS = [crd(resource) for resource in RESOURCES]
UNSEEN = {resource.kind.name: resource.unseen for resource in RESOURCES}


def version(document: Manifest) -> Manifest:
    (only,) = document["spec"]["versions"]
    return dict(only)


def schemas(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Every schema in a schema, by its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from schemas(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from schemas(schema[name], f"{path}[]")


def everything(document: Manifest) -> dict[str, Manifest]:
    return dict(schemas(version(document)["schema"]["openAPIV3Schema"]))


def named(document: Manifest) -> str:
    return str(document["spec"]["names"]["kind"])


def test_every_kind_of_ours_has_a_crd() -> None:
    assert {resource.kind for resource in RESOURCES} == set(OWN_KINDS)


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_names_are_those_of_the_contract(document: Manifest) -> None:
    names = document["spec"]["names"]

    assert document["metadata"]["name"] == f"{names['plural']}.modelyard.dev"
    assert names["categories"] == ["modelyard"]
    assert document["spec"]["scope"] == "Namespaced"
    assert version(document)["name"] == "v1alpha1"


def test_short_names_are_those_of_the_contract() -> None:
    assert {named(document): document["spec"]["names"]["shortNames"] for document in CRDS} == {
        "ExecutionEnvironment": ["exenv"],
        "ExecutionEnvironmentVersion": ["exenvv"],
        "CustomModel": ["cmodel"],
        "CustomModelVersion": ["cmv"],
        "ModelTest": ["mtest"],
        "ModelLedger": ["mledger"],
    }


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_a_status_starts_unseen_and_has_a_subresource(document: Manifest) -> None:
    found = everything(document).get(".status")

    assert (found is None) == (named(document) == "ModelLedger")
    if found is not None:
        assert found["default"] == UNSEEN[named(document)]
        assert version(document)["subresources"] == {"status": {}}
        assert "conditions" in found["properties"]


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_conditions_are_told_apart_by_type(document: Manifest) -> None:
    lists = {path: each for path, each in everything(document).items() if path.endswith(".conditions")}

    assert all(each["x-kubernetes-list-map-keys"] == ["type"] for each in lists.values())


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_text_numbers_and_lists_of_a_users_spec_have_bounds(document: Manifest) -> None:
    """What has no bound can fill etcd, and CEL refuses to look at it."""
    if named(document) == "ModelLedger":
        return
    spec = {path: each for path, each in everything(document).items() if path.startswith(".spec")}
    unbounded = [
        path
        for path, each in spec.items()
        if (each.get("type") == "string" and not {"maxLength", "enum"} & set(each))
        or (each.get("type") == "array" and "maxItems" not in each)
        or (each.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= set(each))
        or ("additionalProperties" in each and "maxProperties" not in each)
    ]

    assert unbounded == []


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_every_rule_has_a_message(document: Manifest) -> None:
    rules = [
        rule for each in everything(document).values() for rule in each.get("x-kubernetes-validations", [])
    ]

    assert rules
    assert [rule for rule in rules if len(rule["message"]) < 20] == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.__name__)
def test_columns_read_fields_that_exist(resource: type[Resource]) -> None:
    known = everything(crd(resource))
    for column in resource.columns:
        plain, _, rest = column.json_path.partition("[?(@.type==")
        tail = rest.partition("]")[2]
        path = plain + ("[]" + tail if rest else "")
        assert path in known or path.startswith(".metadata."), column


@pytest.mark.parametrize("document", CRDS, ids=named)
def test_a_crd_is_far_below_the_limit(document: Manifest) -> None:
    assert len(json.dumps(document)) < 128 * 1024


def run(folder: Path, *options: str) -> int:
    return main(["--output", str(folder / "crds"), "--chart", str(folder / "chart"), *options])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    assert run(folder) == 0
    return folder


@pytest.fixture
def written(first: Path, tmp_path: Path) -> Path:
    """A copy of what the command writes."""
    return Path(shutil.copytree(first, tmp_path, dirs_exist_ok=True))


def test_the_command_writes_manifests_and_templates(written: Path) -> None:
    names = sorted(path.name for path in (written / "crds").iterdir())
    assert names == sorted(f"{kind.plural}.yaml" for kind in OWN_KINDS)
    assert sorted(path.name for path in (written / "chart/templates/crds").iterdir()) == names
    found = [yaml.load((written / "crds" / name).read_text("utf-8"), yaml.CSafeLoader) for name in names]
    assert found == sorted(CRDS, key=lambda each: str(each["metadata"]["name"]))


def test_the_command_writes_the_same_bytes_again(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*.yaml")}

    run(written)

    assert {path: path.read_bytes() for path in written.rglob("*.yaml")} == before


def test_fresh_files_pass_the_check(written: Path) -> None:
    assert run(written, "--check") == 0


@pytest.mark.parametrize("name", ["crds/custommodels.yaml", "chart/templates/crds/custommodels.yaml"])
def test_a_stale_file_fails_the_check_and_stays(
    written: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (written / name).write_text("old")

    assert run(written, "--check") == 1
    assert capsys.readouterr().err == f"{written / name} is stale: run `make crds`\n"
    assert (written / name).read_text() == "old"


def test_a_missing_file_fails_the_check(written: Path) -> None:
    (written / "crds/modeltests.yaml").unlink()

    assert run(written, "--check") == 1


def test_a_file_of_no_kind_fails_the_check(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (written / "crds/forgotten.yaml").write_text("")

    assert run(written, "--check") == 1
    assert "forgotten.yaml belongs to no kind: delete it" in capsys.readouterr().err


def test_a_template_escapes_what_helm_would_read() -> None:
    text = "kind: X\nmetadata:\n  name: x\nspec:\n  description: write {{ name }}\n"

    assert template(text) == (
        "{{- if .Values.crds.enabled }}\n"
        "kind: X\n"
        "metadata:\n"
        "  {{- if .Values.crds.keep }}\n"
        "  annotations:\n"
        "    helm.sh/resource-policy: keep\n"
        "  {{- end }}\n"
        "  name: x\n"
        "spec:\n"
        '  description: write {{ "{{" }} name }}\n'
        "{{- end }}\n"
    )


def test_files_that_cannot_be_written_are_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert main([f"--output={tmp_path}/file/crds", f"--chart={tmp_path}/chart"]) == 2
    said = capsys.readouterr().err
    assert said == f"modelyard crds: {tmp_path}/file/crds cannot be written: Not a directory\n"
