"""`modelyard[cli]` as people install it: from a wheel, into an environment of its own, with no Kubernetes in sight."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from modelyard.api.custom_model import TargetType
from modelyard.cli.skeleton import LANGUAGES
from tests.cluster import packages
from tests.cluster.progress import Progress

ROOT = Path(__file__).parents[2]
TARGET_TYPES = get_args(TargetType)
TRIED = [
    ("python", "Regression"),
    *(("node", target_type) for target_type in TARGET_TYPES),
    ("go", "Multiclass"),
]
"""In Python every target type is tried by the fast tests; Go compiles for long, so its others are looked at below."""

UNNEEDED = ("kopf", "kubernetes", "uvloop", "prometheus_client")


def ran(*command: str | Path, path: str = "") -> str:
    """What a command prints; it must succeed."""
    environment = {**os.environ, "PATH": os.pathsep.join(filter(None, [path, os.environ["PATH"]]))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def pinned() -> Mapping[str, str]:
    """The version of each package in the lock, so that what is installed is what is tested."""
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, re.MULTILINE))


def wheel(folder: Path) -> Path:
    """A wheel of this checkout, built beside it, so that nothing of the build gets into the checkout."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "operator", source / "operator", ignore=ignored)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    ran(*pip, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", source)
    (built,) = folder.glob("modelyard-*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of a fresh environment are that has `modelyard[cli]` and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pinned().items()))
    built = wheel(folder)
    ran(sys.executable, "-m", "venv", folder / "venv")
    programs = folder / "venv" / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check")
    ran(*pip, "install", "--quiet", f"--constraint={constraints}", f"{built}[cli]")
    return programs


@pytest.fixture(scope="module")
def node() -> None:
    """Node.js: this machine's, or Debian's."""
    if shutil.which("node") is None:
        packages.ensure(Progress(), packages.NODE)


def test_no_language_is_left_out() -> None:
    assert {language for language, _ in TRIED} == set(LANGUAGES)


def test_nothing_of_kubernetes_is_there(bin_folder: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {UNNEEDED!r} if u.find_spec(n)])"

    assert ran(bin_folder / "python", "-I", "-c", code) == "[]\n"


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(("language", "target_type"), TRIED)
def test_what_init_writes_passes_try_at_once(
    language: str, target_type: str, bin_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "hello"
    modelyard = bin_folder / "modelyard"

    ran(modelyard, "init", folder, f"--language={language}", f"--target-type={target_type}")
    report = json.loads(
        ran(
            *(modelyard, "try", folder, f"--data={folder / 'sample.csv'}", "--strict", "--quiet"),
            "--format=json",
            path=str(bin_folder),
        )
    )

    assert {one["status"] for one in report["checks"]} == {"succeeded"}


@pytest.mark.parametrize("target_type", TARGET_TYPES)
def test_what_init_writes_in_go_is_sound(target_type: str, bin_folder: Path, tmp_path: Path) -> None:
    ran(bin_folder / "modelyard", "init", tmp_path / "x", "--language=go", f"--target-type={target_type}")
    code = tmp_path / "x" / "code"

    ran("go", "vet", "-C", code, ".")
    assert ran("gofmt", "-l", code) == ""


def test_what_would_be_applied_is_rendered(bin_folder: Path) -> None:
    example = ROOT / "examples" / "01-hello"
    printed = ran(bin_folder / "modelyard", "render", "-f", example, "--quiet", "--format=json")

    assert {"ModelLedger", "Deployment", "Job"} <= {one["kind"] for one in json.loads(printed)["items"]}


@pytest.mark.parametrize("command", ["init", "try", "check", "crds", "render"])
def test_every_command_that_needs_no_cluster_says_how_it_is_used(command: str, bin_folder: Path) -> None:
    assert f"usage: modelyard {command}" in ran(bin_folder / "modelyard", command, "--help")
