"""The clients and what each offers, so that a test is run with those that offer what it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.gateway.drivers import Driver

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """One form of one client."""

    name: str
    driver: str
    offers: frozenset[str]
    ways: tuple[tuple[str, str], ...] = ()
    """What its driver is told with every call."""

    yes: bool | None = True
    """What it makes of an answer that says yes."""

    def __str__(self) -> str:
        return self.name


def _client(name: str, driver: str, offers: str, way: str = "", *, yes: bool | None = True) -> Client:
    return Client(name, driver, frozenset(offers.split()), (("way", way),) if way else (), yes)


# `versions`: of models, named in requests and told in answers. `raw`: tensors in binary. `halves`: FP16 in JSON.
# `mixed`: which outputs were raw is known of each. `options`: compression, headers, and what else Triton has.
# `documents`: requests as plain documents. `config`: a call that is no part of the protocol.
CLIENTS = (
    _client("triton", "triton", "health metadata versions infer raw halves mixed options config", "blocking"),
    _client("triton-async_infer", "triton", "versions infer raw halves mixed options", "async_infer"),
    _client(
        "triton-asyncio",
        "triton",
        "health metadata versions infer raw halves mixed options config",
        "asyncio",
    ),
    _client("kserve", "kserve", "health infer raw documents"),
    _client("openapi", "openapi", "health metadata versions infer", "blocking", yes=None),
    _client("openapi-asyncio", "openapi", "health metadata versions infer", "asyncio", yes=None),
)


def offering(*wanted: str) -> list[Client]:
    """Those that offer all of this."""
    return [client for client in CLIENTS if client.offers.issuperset(wanted)]


class Caller:
    """A client that calls a gateway. Raises Raised where the client raises."""

    def __init__(self, client: Client, drivers: Callable[[str], Driver], base: str) -> None:
        self.client = client
        self._drive = drivers(client.driver)
        self._base = base

    def __call__(self, call: str, *, path: str = "", **arguments: Any) -> Any:
        """One call, as its driver names it; `path` comes before `/v2`."""
        arguments = {name: value for name, value in arguments.items() if value is not None}
        return self._drive(call, base=f"{self._base}{path}", **dict(self.client.ways), **arguments)

    def infer(self, model: str, *inputs: Document, **arguments: Any) -> Document:
        """An inference; each input is sent raw where the client can, unless it says `"binary": False`."""
        if "raw" not in self.client.offers:
            inputs = tuple({key: one[key] for key in one if key != "binary"} for one in inputs)
        answer: Document = self("infer", model=model, inputs=list(inputs), **arguments)
        return answer


def tensor(name: str, datatype: str, data: list[Any], *shape: int, binary: bool = True) -> Document:
    """An input with its data flat; of shape [n] where none is given."""
    return {
        "name": name,
        "shape": list(shape) or [len(data)],
        "datatype": datatype,
        "data": data,
        "binary": binary,
    }


def outputs(answer: Document) -> dict[str, list[Any]]:
    """The data of an answer's outputs by their names."""
    return {one["name"]: one["data"] for one in answer["outputs"]}
