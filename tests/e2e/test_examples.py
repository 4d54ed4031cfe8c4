"""The examples do what their pages say: each command of each README is run, and what it prints is compared.

Some pages are run at a time, each in a namespace of its own; each test waits for its page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts import example_image as images
from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl
from tests.cluster.progress import Progress
from tests.cluster.tools import tool
from tests.cluster.waiting import until
from tests.support.readme import parse, run

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "examples").glob("*/README.md"))
STEP_SECONDS = 240


AT_A_TIME = 3


def environment(kubectl: Kubectl, namespace: str, own: Path) -> dict[str, str]:
    """kubectl on PATH, and a context whose namespace is the one of this page."""
    shutil.copy(kubectl.kubeconfig, own)
    Kubectl(own).run("config", "set-context", "--current", f"--namespace={namespace}")
    return {"KUBECONFIG": str(own), "PATH": f"{tool('kubectl').parent}:{os.environ['PATH']}"}


def build(page: Path) -> None:
    """The image of an example that has one of its own: that may take longer than any step of a page."""
    if (page.parent / "Dockerfile").exists():
        images.build(page.parent, Progress())


def remains(kubectl: Kubectl, namespace: str) -> list[str]:
    """What is left of the operator's making, or of the page's, in a namespace."""
    kinds = "modelyard,deployments,replicasets,pods,services,networkpolicies,poddisruptionbudgets,jobs,endpointslices"
    names = kubectl.run(
        "get", f"{kinds},controllerrevisions,configmaps", f"--namespace={namespace}", "--output=name"
    )
    return sorted(set(names.split()) - {"configmap/kube-root-ca.crt"})


def follow(page: Path, kubectl: Kubectl, folder: Path) -> None:
    """All that a page says, until nothing is left of it."""
    steps = parse(page.read_text())
    assert len(steps) >= 4
    build(page)
    with new_namespace(kubectl) as namespace:
        surroundings = environment(kubectl, namespace, folder / f"{page.parent.name}.kubeconfig")
        for step in steps:
            run(step, folder=ROOT, environment=surroundings, timeout=STEP_SECONDS)
        until("nothing is left", lambda: not remains(kubectl, namespace), timeout=STEP_SECONDS, every=1)


@pytest.fixture(scope="module")
def followed(
    request: pytest.FixtureRequest,
    operator: str,
    example_image: str,
    kubectl: Kubectl,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[Path, Future[None]]]:
    """Each page whose test is asked for, under way or about to be."""
    folder = tmp_path_factory.mktemp("examples")
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = [spec.params.get("page") for spec in specs if spec]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {page: pool.submit(follow, page, kubectl, folder) for page in PAGES if page in chosen}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_an_example_does_what_its_page_says_and_leaves_nothing(
    page: Path, followed: dict[Path, Future[None]]
) -> None:
    followed[page].result()
