"""The pages for authors of models do what they say, command for command, with no cluster in sight."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cluster import packages
from tests.cluster.progress import Progress
from tests.support.readme import parse, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def curl() -> None:
    packages.ensure(Progress())


@pytest.fixture
def environment() -> Mapping[str, str]:
    """This checkout's `modelyard` first, and ports that nobody has."""
    with socket.socket() as free, socket.socket() as another:
        free.bind(("", 0))
        another.bind(("", 0))
        port, gateway = free.getsockname()[1], another.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "PORT": str(port), "GATEWAY_PORT": str(gateway)}


@pytest.mark.parametrize("page", ["docs/contract.md", "docs/try.md", "docs/gateway.md", "README.md"])
def test_the_commands_of_a_page_do_what_it_says(
    page: str, environment: Mapping[str, str], tmp_path: Path
) -> None:
    steps = [step for step in parse((ROOT / page).read_text()) if "modelyard init" in step.commands]
    assert steps

    for step in steps:
        run(step, folder=tmp_path, environment=environment, timeout=120)
