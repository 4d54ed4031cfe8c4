"""`modelyard init`: what it writes works at once, and nothing is overwritten."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import pytest
import yaml

from modelyard.api.custom_model import TargetType
from modelyard.cli.init import main
from modelyard.cli.model_file import model_in
from modelyard.cli.model_name import name_for
from modelyard.cli.skeleton import LANGUAGES, skeleton
from modelyard.cli.try_model import main as try_model
from tests.unit.cli.conftest import FAST

TARGET_TYPES = get_args(TargetType)


@pytest.mark.parametrize("target_type", TARGET_TYPES)
def test_what_is_written_passes_every_check_at_once(target_type: str, tmp_path: Path) -> None:
    """In Python, which is there wherever this runs; the other languages are tried on the ground."""
    folder = tmp_path / "my-model"

    assert main([str(folder), f"--target-type={target_type}"]) == 0

    assert try_model([str(folder), f"--data={folder / 'sample.csv'}", "--strict", "--quiet"], FAST) == 0


def test_the_next_step_is_said_and_quoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my first model"

    main([str(folder)])

    assert f"modelyard try '{folder}' --data '{folder}/sample.csv'" in capsys.readouterr().out
    assert model_in((folder / "model.yaml").read_text()).name == "my-first-model"


@pytest.mark.parametrize(("language", "target_type"), [*itertools.product(LANGUAGES, TARGET_TYPES)])
def test_the_yaml_names_what_is_there(language: str, target_type: TargetType) -> None:
    files = skeleton("hello", LANGUAGES[language], target_type)

    code, sample = yaml.safe_load(files["kustomization.yaml"])["configMapGenerator"]
    assert set(code["files"]) == {path for path in files if path.startswith("code/")}
    assert set(sample["files"]) <= files.keys()
    found = model_in(files["model.yaml"])
    assert (found.name, found.label, found.model["targetType"]) == ("hello", "1.0", target_type)
    assert found.configuration.side_effects == "fail"
    assert "{{" not in "".join(files[path] for path in files if not path.startswith("code/"))
    linked = [path for path in files if f"]({path})" in files["README.md"]]
    assert set(linked) == {"sample.csv", "model.yaml", "kustomization.yaml", "names.yaml"}


@pytest.mark.parametrize("name", ["null", "on", "y", "e1"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(name: str) -> None:
    files = skeleton(name, LANGUAGES["python"], "Regression")

    assert model_in(files["model.yaml"]).name == name


def test_the_start_script_may_be_executed(tmp_path: Path) -> None:
    main([str(tmp_path / "x")])

    assert (tmp_path / "x" / "code" / "start_server.sh").stat().st_mode & 0o111


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.yaml").write_text("mine")

    assert main([str(tmp_path)]) == 2

    assert capsys.readouterr().err == (
        f"modelyard init: {tmp_path} is not empty, and nothing is overwritten; name another folder\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("mine")

    assert main([str(tmp_path / "x")]) == 2

    assert capsys.readouterr().err == f"modelyard init: {tmp_path / 'x'} is a file; name a folder\n"


@pytest.mark.parametrize("name", ["", "Hello", "1st", "a_b", "a-", "-a", "a" * 53, "a.b", "a\n"])
def test_a_name_that_the_cluster_would_refuse_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "x"), f"--name={name}"]) == 2

    assert "must be at most 52 lower-case letters, digits and '-'" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("hello", "hello"),
        ("My Model_2", "my-model-2"),
        ("2nd", "model-2nd"),
        ("___", "model"),
        ("x" * 60, "x" * 52),
        ("ü" * 3, "model"),
    ],
)
def test_a_folder_gives_a_name_that_the_cluster_takes(folder: str, name: str, tmp_path: Path) -> None:
    assert name_for(tmp_path / folder) == name
    assert main([str(tmp_path / folder)]) == 0
