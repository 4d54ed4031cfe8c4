"""A model as `modelyard init` writes it does in a cluster what its page says: it passes its gate, and serves.

The models live side by side, each in a namespace of its own; each test waits for its model.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from modelyard.cli.skeleton import LANGUAGES
from scripts import demo, example_image
from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl
from tests.cluster.progress import Progress
from tests.cluster.provider import Provider
from tests.cluster.tools import tool
from tests.e2e.team import Team
from tests.support.readme import Step, parse, run

ROOT = Path(__file__).parents[2]
NODE = ROOT / "examples" / "04-node-multiclass"
"""The example whose image is Node.js and nothing else."""

STEP_SECONDS = 60

WRITTEN = [("python", "Binary"), ("node", "Multiclass")]


@pytest.fixture(scope="module")
def images(cluster: Provider) -> None:
    """Pods find the images that the models name. Go is left out: its image holds a compiler, which is large."""
    demo.push_environment(cluster, Progress())
    repository, _, tag = LANGUAGES["node"].image.rpartition(":")
    cluster.push(example_image.build(NODE, Progress()).layout, repository, tag)
    assert LANGUAGES["python"].image == ":".join(demo.PYTHON_IMAGE)


def environment(kubectl: Kubectl, namespace: str, own: Path) -> dict[str, str]:
    """kubectl and this checkout's modelyard on PATH, and a context whose namespace is one of the model's own."""
    shutil.copy(kubectl.kubeconfig, own)
    Kubectl(own).run("config", "set-context", "--current", f"--namespace={namespace}")
    programs = (tool("kubectl").parent, Path(sys.executable).parent)
    return {"KUBECONFIG": str(own), "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]])}


def next_version(folder: Path) -> None:
    """What the page says to do after a change of the code."""
    manifest = folder / "model.yaml"
    text = manifest.read_text().replace("name: flats-v1", "name: flats-v2")
    manifest.write_text(text.replace('label: "1.0"', 'label: "2.0"'))


def live(team: Team, language: str, target_type: str, home: Path) -> None:
    """A model is written and passes its gate, and so does its next version."""
    kubectl, folder = team.kubectl, home / "flats"
    surroundings = environment(kubectl, team.namespace, home / "kubeconfig")

    def told(commands: str, here: Path = folder) -> None:
        run(Step(0, commands, None), folder=here, environment=surroundings, timeout=STEP_SECONDS)

    told(f"modelyard init flats --language={language} --target-type={target_type}", home)
    steps = [step.commands for step in parse((folder / "README.md").read_text())]
    assert [step.split()[0] for step in steps] == ["modelyard", "kubectl"]
    told(steps[1])
    team.await_serving("flats", "1.0")
    (test,) = kubectl.list("modeltests", team.namespace)
    assert {check["status"] for check in test["status"]["testingStatus"].values()} == {"succeeded"}

    model = folder / "code" / f"model.{LANGUAGES[language].extension}"
    model.write_text(model.read_text() + "\n")
    with pytest.raises(AssertionError, match="source cannot be changed"):
        told(steps[1])
    next_version(folder)
    told(steps[1])
    team.await_serving("flats", "2.0")


@pytest.fixture(scope="module")
def lives(
    operator: str, images: None, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The life of each model, by its language, under way."""

    def lived(language: str, target_type: str) -> None:
        with new_namespace(kubectl) as namespace:
            team = Team(kubectl, namespace, LANGUAGES[language].image)
            live(team, language, target_type, homes[language])

    homes = {language: tmp_path_factory.mktemp(language) for language, _ in WRITTEN}
    with ThreadPoolExecutor() as pool:
        yield {language: pool.submit(lived, language, target_type) for language, target_type in WRITTEN}


@pytest.mark.parametrize("language", [language for language, _ in WRITTEN])
def test_what_init_writes_serves_and_so_does_its_next_version(
    language: str, lives: dict[str, Future[None]]
) -> None:
    lives[language].result()
