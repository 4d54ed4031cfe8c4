"""Models as the first process of a pod, which Linux ends by SIGTERM only if it handles the signal: ours all do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from modelyard.cli.skeleton import LANGUAGES, skeleton
from tests.cluster import packages
from tests.cluster.progress import Progress
from tests.cluster.waiting import until

EXAMPLES = Path(__file__).parents[2] / "examples"


def code_in(version: Path) -> dict[str, str]:
    """The files that a version holds itself; those of the other examples are in folders and in images."""
    source = yaml.safe_load(version.read_text())["spec"].get("source", {})
    return {file["path"]: file["content"] for file in source.get("inline", [])}


INLINE = sorted(path for path in EXAMPLES.rglob("version*.yaml") if "start_server.sh" in code_in(path))
TOLD = {
    "URL_PREFIX": "/m",
    "TARGET_NAME": "price",
    "CLASS_LABELS": '["setosa", "versicolor", "virginica"]',
}
STARTED_SECONDS = 60
ENDED_SECONDS = 10
"""A tenth of a second where nothing else runs."""


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    if shutil.which("node") is None:
        packages.ensure(Progress(), packages.NODE)


def written(files: dict[str, str], folder: Path) -> Path:
    """A folder with the code of a model."""
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_text(text)
    return folder


def started_by_init(language: str) -> dict[str, str]:
    """The code of a skeleton."""
    files = skeleton("hello", LANGUAGES[language], "Regression")
    return {path.removeprefix("code/"): text for path, text in files.items() if path.startswith("code/")}


@dataclass(frozen=True, slots=True)
class FirstProcess:
    """A model that serves."""

    pid: int
    """Seen from here; in its own namespace of processes it is 1."""

    port: str

    def tell(self) -> None:
        """To end."""
        os.kill(self.pid, signal.SIGTERM)

    def is_alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()


@contextmanager
def first_process(code: Path, home: Path) -> Iterator[FirstProcess]:
    """The model of a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {**TOLD, "PATH": os.environ["PATH"], "HOME": str(home), "PORT": port, "CODE_DIR": str(code)}
    command = ["unshare", "--pid", "--fork", "--kill-child", "sh", str(code / "start_server.sh")]
    with subprocess.Popen(command, env=told, cwd=code) as outer:
        try:
            until(f"{code} serves", lambda: answers(port), timeout=STARTED_SECONDS)
            yield FirstProcess(int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text()), port)
        finally:
            outer.kill()


def answers(port: str) -> bool:
    """Whether the model says that it is ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/m/", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False


def expect_end(code: Path, home: Path) -> None:
    """It ends soon after it is told to."""
    with first_process(code, home) as model:
        model.tell()
        until(f"{code} has ended", lambda: not model.is_alive(), timeout=ENDED_SECONDS)


@pytest.mark.parametrize("language", ["python", "node"])
def test_what_init_writes_ends_when_it_is_told_to(language: str, tmp_path: Path) -> None:
    expect_end(written(started_by_init(language), tmp_path / "code"), tmp_path)


@pytest.mark.parametrize("version", INLINE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_models_that_examples_hold_end_when_they_are_told_to(version: Path, tmp_path: Path) -> None:
    expect_end(written(code_in(version), tmp_path / "code"), tmp_path)


def test_the_example_in_javascript_ends_when_it_is_told_to(tmp_path: Path) -> None:
    expect_end(EXAMPLES / "04-node-multiclass" / "code", tmp_path)


def test_a_model_without_a_handler_is_deaf(tmp_path: Path) -> None:
    """The control of all above: what docs/contract.md says of `exec python3 server.py` alone."""
    files = started_by_init("python")
    handler = next(line for line in files["server.py"].splitlines() if line.startswith("signal.signal("))
    files["server.py"] = files["server.py"].replace(handler, "")
    with first_process(written(files, tmp_path / "code"), tmp_path) as model:
        model.tell()
        assert answers(model.port)
