"""Real models, a gateway in front of them, and clients that others wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from modelyard.api.custom_model import CustomModelSpec
from modelyard.cli.init import main as init
from tests.cluster.progress import Progress
from tests.gateway.drivers import Driver, driver
from tests.gateway.environments import ALL, Environment, python
from tests.gateway.running import Document, Gateway, absent, gateway, model, write_routes
from tests.gateway.servers import ECHO, NAMESPACE, Pod, Server, free_port, started

COLUMNS = [
    {"name": "area", "datatype": "FP64"},
    {"name": "rooms", "datatype": "INT64"},
    {"name": "district", "datatype": "BYTES"},
]
SPECS = {
    "flats": CustomModelSpec(target_type="Regression", target_name="price"),
    "dear": CustomModelSpec(
        target_type="Binary",
        target_name="is dear",
        positive_class_label="yes",
        negative_class_label="no",
        prediction_threshold=0.6,
    ),
    "steps": CustomModelSpec(
        target_type="Multiclass", target_name="step", class_labels=["günstig", "mittel", "高い"]
    ),
    "odd": CustomModelSpec(target_type="Anomaly", target_name="oddity"),
}
ECHO_SPEC = CustomModelSpec(target_type="Regression", target_name="echo")


@pytest.fixture(scope="session")
def pythons(request: pytest.FixtureRequest) -> Callable[[Environment], Path]:
    """The Python of an environment. It is made when it is missing, and the terminal shows how that goes."""

    def found(environment: Environment) -> Path:
        if environment.cannot_be:
            pytest.skip(environment.cannot_be)
        if environment.folder.exists():
            return python(environment, Progress(quiet=True))
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            return python(environment, Progress())

    return found


@pytest.fixture(scope="session")
def drivers(pythons: Callable[[Environment], Path]) -> Iterator[Callable[[str], Driver]]:
    """The driver of a client by its name; each is started once."""
    running: dict[str, Driver] = {}
    environments = {environment.name: environment for environment in ALL}
    with ExitStack() as stack:

        def found(name: str) -> Driver:
            if name not in running:
                running[name] = stack.enter_context(driver(name, pythons(environments[name])))
            return running[name]

        yield found


class Town:
    """Models of every target type, and a model that echoes in two versions."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.record = folder / "record"
        echo = Server(ECHO, "echo", ECHO_SPEC)
        servers = [
            *(Server(_written(folder / name, spec), name, spec) for name, spec in SPECS.items()),
            echo.version("1.0", RECORD=str(self.record)),
            echo.version("2.0", OFFSET="1000"),
        ]
        homes = (folder / f"home-{number}" for number in range(len(servers)))
        self.pods: list[Pod] = [
            stack.enter_context(started(server, home)) for server, home in zip(servers, homes, strict=True)
        ]
        self.by_name = {pod.server.name: pod for pod in self.pods}

    def routes(self) -> list[Document]:
        """Those of all models, with some that cannot answer."""
        *alone, one, two = self.pods
        return [
            *(model(pod, columns=COLUMNS) for pod in alone),
            model(one, two),
            model(one, namespace="elsewhere"),
            absent(Server(ECHO, "asleep", ECHO_SPEC)),
            absent(Server(ECHO, "gone", ECHO_SPEC), f"127.0.0.1:{free_port()}"),
        ]

    def asked(self) -> dict[str, list[object]]:
        """The columns that echo 1.0 was asked for last."""
        columns: dict[str, list[object]] = json.loads(self.record.read_text().splitlines()[-1])["X"]
        return columns


def _written(folder: Path, spec: CustomModelSpec) -> Path:
    assert init([str(folder), f"--target-type={spec.target_type}", f"--name={folder.name}"]) == 0
    return folder / "code"


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The models, running."""
    with ExitStack() as stack:
        yield Town(tmp_path_factory.mktemp("town"), stack)


@pytest.fixture(scope="session")
def front(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway in front of the models."""
    routes = tmp_path_factory.mktemp("front") / "routes.json"
    write_routes(routes, town.routes(), NAMESPACE)
    with gateway(routes) as found:
        yield found


class Chaos:
    """How long the long forms of tests go on: CHAOS seconds, or a share of them; without it they have a short form."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def time(self, short: float, share: float = 0.1) -> float:
        """Seconds to go on for."""
        return self.seconds * share or short


@pytest.fixture(scope="session")
def chaos() -> Chaos:
    """The short form, or what `make chaos` asks for."""
    return Chaos(float(os.environ.get("CHAOS", "0")))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: has a long form, which `make chaos` runs")
