"""What `modelyard init` writes, as `kubectl apply -k` sends it to a real API server."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from modelyard.api.custom_model import TargetType
from modelyard.cli.init import write
from modelyard.cli.skeleton import LANGUAGES, skeleton
from tests.apiserver.said import create, refusal
from tests.apiserver.server import ApiServer

LANGUAGE_AND_TARGET = [*itertools.product(LANGUAGES, get_args(TargetType))]


def rendered(server: ApiServer, folder: Path) -> list[dict[str, Any]]:
    """The objects that kubectl makes of a folder."""
    done = server.kubectl("kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize(("language", "target_type"), LANGUAGE_AND_TARGET)
def test_the_api_server_takes_each_object(
    language: str, target_type: TargetType, server: ApiServer, namespace: str, tmp_path: Path
) -> None:
    write(tmp_path, skeleton("a" * 52, LANGUAGES[language], target_type))

    objects = rendered(server, tmp_path)

    ours = [one for one in objects if one["kind"] != "ConfigMap"]
    assert [one["kind"] for one in ours] == ["CustomModel", "CustomModelVersion", "ExecutionEnvironment"]
    assert [refusal(create(server, namespace, one, dry=True)) for one in ours] == ["", "", ""]


def test_the_objects_name_the_config_maps_that_are_made(server: ApiServer, tmp_path: Path) -> None:
    write(tmp_path, skeleton("hello", LANGUAGES["python"], "Binary"))

    objects = rendered(server, tmp_path)

    code, sample, model, version, _ = objects
    assert version["spec"]["source"]["configMap"]["name"] == code["metadata"]["name"]
    assert set(code["data"]) == set(LANGUAGES["python"].files)
    assert model["spec"]["gate"]["tests"][0]["dataset"]["configMap"]["name"] == sample["metadata"]["name"]
    assert set(sample["data"]) == {"sample.csv"}


def test_a_change_of_the_code_needs_a_new_version(server: ApiServer, namespace: str, tmp_path: Path) -> None:
    """Without it kubectl would say that all is well, and the old code would serve on."""
    write(tmp_path, skeleton("hello", LANGUAGES["python"], "Regression"))
    apply = ("apply", f"--namespace={namespace}", "-k", str(tmp_path))
    assert server.kubectl(*apply).returncode == 0
    code = tmp_path / "code" / "model.py"
    code.write_text(code.read_text().replace("20000", "30000"))

    refused = server.kubectl(*apply)

    assert refused.returncode != 0
    assert "create a new CustomModelVersion instead" in refused.stderr

    manifest = tmp_path / "model.yaml"
    text = manifest.read_text().replace("name: hello-v1", "name: hello-v2").replace('"1.0"', '"2.0"')
    manifest.write_text(text)
    again = server.kubectl(*apply)
    assert again.returncode == 0, again.stderr
    assert "custommodelversion.modelyard.dev/hello-v2 created" in again.stdout
