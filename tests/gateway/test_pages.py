"""What the pages write for tritonclient does what they say, with the model of the first example."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from modelyard.api.custom_model import CustomModelSpec
from tests.gateway.environments import TRITON, Environment, variables
from tests.gateway.running import Gateway, gateway, model, write_routes
from tests.gateway.servers import Server, started
from tests.support.pages import ROOT, blocks

PAGES = {
    "docs/gateway.md": ("modelyard-gateway.modelyard-system.svc/team", "[201000. 104000.] 1.0"),
    "examples/01-hello/README.md": ("127.0.0.1:8001/default", "[201000. 104000.]"),
}
"""Each with the address that its program asks, and what that prints."""

EXAMPLE = ROOT / "examples" / "01-hello"


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in front of the example's model."""
    folder = tmp_path_factory.mktemp("hello")
    spec = CustomModelSpec.model_validate(yaml.safe_load((EXAMPLE / "model.yaml").read_text())["spec"])
    for file in yaml.safe_load((EXAMPLE / "version.yaml").read_text())["spec"]["source"]["inline"]:
        (folder / file["path"]).write_text(file["content"])
    with started(Server(folder, "hello", spec), folder / "home") as pod:
        write_routes(folder / "routes.json", [model(pod, namespace="team"), model(pod, namespace="default")])
        with gateway(folder / "routes.json") as found:
            yield found


@pytest.mark.parametrize("page", PAGES)
def test_the_program_of_a_page_prints_the_prediction(
    page: str, hello: Gateway, pythons: Callable[[Environment], Path]
) -> None:
    (program,) = blocks(ROOT / page, "python")
    address, printed = PAGES[page]
    host, _, namespace = address.partition("/")
    assert f'"{host}/{namespace}"' in program
    command = [str(pythons(TRITON)), "-c", program.replace(host, hello.base)]
    done = subprocess.run(command, env=variables(), capture_output=True, text=True, timeout=60)

    assert done.stderr == ""
    assert done.stdout.strip() == printed
