"""The models that break the contract, each in its own way, behind the gateway: what a client is told of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.gateway.conftest import ECHO_SPEC
from tests.gateway.running import Answer, Gateway, column, gateway, model, write_routes
from tests.gateway.servers import Server, started
from tests.support.model_folders import fixture_folder

TOLD = {
    "good_regression": (200, ""),
    "jitter": (200, ""),
    "compressed": (502, "its answer is not JSON"),
    "cut_off": (502, "its pod broke off"),
    "dies_on_null": (503, "its pod broke off"),
    "drops_null_rows": (502, "1 predictions for 2 rows"),
    "huge": (502, "its answer holds too many lists and objects"),
    "infinity": (502, "Infinity"),
    "malformed": (502, "its answer is not JSON"),
    "nan_on_null": (502, "NaN"),
    "raises": (502, "answered HTTP 500"),
    "ready_then_dies": (503, "no pod of it takes a connection; its `callers` may leave the gateway out"),
    "ready_without_serving": (502, "answered HTTP 404"),
    "redirects": (502, "answered HTTP 307"),
    "short_answer": (502, "1 predictions for 2 rows"),
    "slow": (504, "it did not answer within 2 s"),
    "strings": (502, "it must be a finite number"),
}
"""The status, and what the sentence says beside which model it is about."""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("misbehaving")
    with ExitStack() as stack:
        names = list(TOLD)
        servers = [
            Server(fixture_folder(folder / name, name), name.replace("_", "-"), ECHO_SPEC) for name in names
        ]
        pods = [stack.enter_context(started(server, folder / f"home-{server.name}")) for server in servers]
        write_routes(folder / "routes.json", map(model, pods))
        yield stack.enter_context(gateway(folder / "routes.json", "--first-byte-timeout=2"))


def asked(front: Gateway, name: str) -> Answer:
    return front.infer(name.replace("_", "-"), column("a", [2.0, 3.0]), column("b", [None, 1.0]))


@pytest.mark.parametrize("name", TOLD)
def test_a_client_is_told_which_model_misbehaves_and_how(front: Gateway, name: str) -> None:
    status, says = TOLD[name]

    answer = asked(front, name)

    assert answer.status == status
    if status != 200:
        assert list(answer.json) == ["error"]
        assert answer.json["error"].startswith(f'model "{name.replace("_", "-")}" version "1.0"')
        assert says in answer.json["error"]
        assert ("retry-after" in answer.headers) == (status == 503)
