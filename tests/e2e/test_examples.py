"""The examples do what their pages say: each command of each README is run, and what it prints is compared."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scripts import example_image as images
from tests.cluster.kubectl import Kubectl
from tests.cluster.progress import Progress
from tests.cluster.tools import tool
from tests.cluster.waiting import until
from tests.support.readme import parse, run

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "examples").glob("*/README.md"))
STEP_SECONDS = 240


@pytest.fixture
def environment(kubectl: Kubectl, namespace: str, tmp_path: Path) -> dict[str, str]:
    """kubectl on PATH, and a context whose namespace is one of the test's own."""
    own = tmp_path / "kubeconfig"
    shutil.copy(kubectl.kubeconfig, own)
    Kubectl(own).run("config", "set-context", "--current", f"--namespace={namespace}")
    return {"KUBECONFIG": str(own), "PATH": f"{tool('kubectl').parent}:{os.environ['PATH']}"}


@pytest.fixture
def built(page: Path) -> None:
    """The image of an example that has one of its own is built: that may take longer than any step of a page."""
    if (page.parent / "Dockerfile").exists():
        images.build(page.parent, Progress())


def remains(kubectl: Kubectl, namespace: str) -> list[str]:
    """What is left of the operator's making, or of the page's, in a namespace."""
    kinds = "modelyard,deployments,replicasets,pods,services,networkpolicies,poddisruptionbudgets,jobs,endpointslices"
    names = kubectl.run(
        "get", f"{kinds},controllerrevisions,configmaps", f"--namespace={namespace}", "--output=name"
    )
    return sorted(set(names.split()) - {"configmap/kube-root-ca.crt"})


@pytest.mark.usefixtures("operator", "example_image", "built")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_an_example_does_what_its_page_says_and_leaves_nothing(
    page: Path, environment: dict[str, str], kubectl: Kubectl, namespace: str
) -> None:
    steps = parse(page.read_text())

    assert len(steps) >= 4
    for step in steps:
        run(step, folder=ROOT, environment=environment, timeout=STEP_SECONDS)
    until("nothing is left", lambda: not remains(kubectl, namespace), timeout=STEP_SECONDS, every=1)
