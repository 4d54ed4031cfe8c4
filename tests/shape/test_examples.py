"""The examples as files: listed, and free of images that nobody brings to the nodes. That they work, e2e shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.dataset import DataFormat
from modelyard.checks.columns import datatypes
from modelyard.checks.data_files import parse_data_set
from scripts.demo import PYTHON_IMAGE

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(page.parent for page in (ROOT / "examples").glob("*/README.md"))

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def spec(example: Path, file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((example / file).read_text())["spec"]
    return found


@each_example
def test_an_example_is_listed_with_what_it_predicts(example: Path) -> None:
    link = f"]({example.name}/README.md)"
    rows = [line for line in (ROOT / "examples" / "README.md").read_text().splitlines() if link in line]

    assert len(rows) == 1
    assert f"| {spec(example, 'model.yaml')['targetType']} |" in rows[0]
    assert f"](examples/{example.name}/README.md)" in (ROOT / "README.md").read_text()


@each_example
def test_an_example_runs_only_images_that_are_brought_to_the_nodes(example: Path) -> None:
    own, python = spec(example, "environment.yaml")["image"], ":".join(PYTHON_IMAGE)
    page = (example / "README.md").read_text()
    is_built = (example / "Dockerfile").exists()

    assert own.startswith("registry.example.com/") if is_built else own == python
    assert (f"make example-image EXAMPLE={example.name}\n" in page) is is_built
    assert set(re.findall(r"--image=(\S+)", page)) <= {own, python}


def test_the_packages_of_an_image_are_pinned() -> None:
    files = list((ROOT / "examples").rglob("requirements.txt"))
    lines = [line for file in files for line in file.read_text().splitlines() if not line.startswith("#")]

    assert len(lines) >= 6
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)] == []


def measured(example: Path) -> dict[str, str]:
    """The datatypes of the columns of the data in an example's gate; none where it has no gate."""
    found: dict[str, str] = {}
    for test in spec(example, "model.yaml").get("gate", {}).get("tests", ()):
        form: DataFormat = test["dataset"]["format"]
        found |= datatypes(parse_data_set(content(example, test["dataset"]), form).columns)
    return found


def content(example: Path, dataset: dict[str, Any]) -> bytes:
    """The only file of a data set."""
    if "inline" in dataset:
        (file,) = dataset["inline"]
        text: str = file["content"]
        return text.encode()
    name = dataset["configMap"]["name"]
    made = yaml.safe_load((example / "kustomization.yaml").read_text())["configMapGenerator"]
    (files,) = (each["files"] for each in made if each["name"] == name)
    (path,) = files
    return Path(example, path).read_bytes()


@each_example
def test_the_data_of_an_example_tells_what_is_measured_as_fractions(example: Path) -> None:
    """A client that goes by the metadata would cut the fractions of a column that it takes for integers."""
    whole = [column for column, datatype in measured(example).items() if datatype == "INT64"]

    assert set(whole) <= {"rooms"}
    assert bool(measured(example)) is ("gate:" in (example / "model.yaml").read_text())
