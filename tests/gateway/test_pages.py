"""What the pages write for tritonclient does what they say, with the models of the examples."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from modelyard.api.custom_model import CustomModelSpec
from tests.gateway.environments import TRITON, Environment, variables
from tests.gateway.mlserver import TWIN
from tests.gateway.running import Gateway, gateway, model, write_routes
from tests.gateway.servers import Server, started
from tests.support.pages import ROOT, blocks

PAGES = {
    "docs/gateway.md": ("modelyard-gateway.modelyard-system.svc/team", "[201000. 104000.] 1.0"),
    "examples/01-hello/README.md": ("127.0.0.1:8001/default", "[201000. 104000.]"),
    "examples/04-node-multiclass/README.md": (
        "127.0.0.1:8004/default",
        "[b'setosa' b'versicolor' b'virginica'] [0.   0.59 0.  ]",
    ),
}
"""Each with the address that its program asks, and what that prints."""

HELLO, IRIS = ROOT / "examples" / "01-hello", ROOT / "examples" / "04-node-multiclass"


def hello(folder: Path) -> Server:
    """The first example's model."""
    folder.mkdir()
    for file in yaml.safe_load((HELLO / "version.yaml").read_text())["spec"]["source"]["inline"]:
        (folder / file["path"]).write_text(file["content"])
    return Server(folder, "hello", spec(HELLO))


def iris(folder: Path) -> Server:
    """The fourth example's model, by another server: not every machine has Node.js."""
    folder.mkdir()
    own = TWIN.with_name("iris") / "model.py"
    for file in (TWIN / "start_server.sh", TWIN / "server.py", own, IRIS / "code" / "model.json"):
        shutil.copy(file, folder)
    return Server(folder, "iris", spec(IRIS))


def spec(example: Path) -> CustomModelSpec:
    return CustomModelSpec.model_validate(yaml.safe_load((example / "model.yaml").read_text())["spec"])


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in front of the examples' models."""
    folder = tmp_path_factory.mktemp("examples")
    servers = [hello(folder / "hello"), iris(folder / "iris")]
    with ExitStack() as stack:
        pods = [stack.enter_context(started(server, folder / f"{server.name}-home")) for server in servers]
        routes = [model(pod, namespace=namespace) for pod in pods for namespace in ("team", "default")]
        write_routes(folder / "routes.json", routes)
        yield stack.enter_context(gateway(folder / "routes.json"))


@pytest.mark.parametrize("page", PAGES)
def test_the_program_of_a_page_prints_the_prediction(
    page: str, front: Gateway, pythons: Callable[[Environment], Path]
) -> None:
    (program,) = blocks(ROOT / page, "python")
    address, printed = PAGES[page]
    host, _, namespace = address.partition("/")
    assert f'"{host}/{namespace}"' in program
    command = [str(pythons(TRITON)), "-c", program.replace(host, front.base)]
    done = subprocess.run(command, env=variables(), capture_output=True, text=True, timeout=60)

    assert done.stderr == ""
    assert done.stdout.strip() == printed
