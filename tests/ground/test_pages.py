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
from tests.support.readme import Step, parse, run

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


def test_the_pages_can_be_followed_one_after_the_other_in_one_shell(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    """What the first one started has ended by then: the second wants the same port."""
    pages = [(ROOT / "docs" / page).read_text() for page in ("contract.md", "gateway.md")]
    one, other = (step for page in pages for step in parse(page) if "modelyard init" in step.commands)
    assert one.expected
    assert other.expected
    both = f"{one.commands}mkdir other\ncd other\n{other.commands}"

    run(
        Step(one.line, both, one.expected + other.expected),
        folder=tmp_path,
        environment=environment,
        timeout=120,
    )

    for name in ("PORT", "GATEWAY_PORT"):
        with socket.socket() as free:
            assert free.connect_ex(("127.0.0.1", int(environment[name]))), "nothing goes on"
