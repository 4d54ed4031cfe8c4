"""Moments in the life of a model that many tests begin at, and looks at a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from modelyard.api.kinds import CONFIG_MAP, CUSTOM_MODEL_VERSION, Kind
from tests.support.fake_api import FakeApi
from tests.support.objects import make_environment, make_model, make_test, make_version
from tests.support.world import World

Manifest = dict[str, Any]

CHECK = "hello-1-check"
"""Name of a test by hand."""


async def serving_v1(*, version: Manifest | None = None, **model: Any) -> World:
    """`hello-1` (1.0) serves, and has for a minute."""
    if World.make_api is not FakeApi:
        return await _serving_v1(version, model)
    asked = orjson.dumps((version, model))
    if asked not in _LIVED:
        _LIVED[asked] = await _serving_v1(version, model)
    world = _LIVED[asked].copy()
    await world.settle()
    return world


_LIVED: dict[bytes, World] = {}
"""In memory each such moment is lived through once; every test gets a copy, with an operator just started."""


async def _serving_v1(version: Manifest | None, model: Manifest) -> World:
    world = World()
    world.user.apply(make_environment(), make_model(**model), version or make_version("hello-1", label="1.0"))
    await world.settle()
    await world.pass_time(60, step=30)
    return world


async def serving_v2(*, second: Manifest | None = None, **model: Any) -> World:
    """`hello-2` (2.0) serves and `hello-1` was drained; both are declared."""
    world = await serving_v1(**model)
    world.user.apply(second or make_version("hello-2", label="2.0"))
    await world.settle()
    await world.pass_time(60, step=30)
    return world


def conditions(world: World, kind: Kind, name: str) -> dict[str, tuple[str, str]]:
    """Every condition of an object: type to (status, reason)."""
    found = world.get(kind, name)["status"]["conditions"]
    return {condition["type"]: (condition["status"], condition["reason"]) for condition in found}


def workload(world: World, version: str) -> str:
    """Name of a version's Deployment, as its status says."""
    return str(world.get(CUSTOM_MODEL_VERSION, version)["status"]["workload"])


def key(world: World, version: str) -> str:
    """The key of a version, as its status says."""
    return str(world.get(CUSTOM_MODEL_VERSION, version)["status"]["key"])


def names(world: World, kind: Kind) -> list[str]:
    """Names of all objects of a kind."""
    return [manifest["metadata"]["name"] for manifest in world.all(kind)]


def reports(world: World) -> list[str]:
    """Names of the ConfigMaps that hold reports."""
    return [name for name in names(world, CONFIG_MAP) if name.startswith("report-")]


async def checked(world: World | None = None, **test: Any) -> World:
    """A test by hand, CHECK, that ended, as far as it does at once."""
    world = world or await serving_v1()
    world.user.apply(make_test(CHECK, **test))
    await world.settle()
    return world


def refusing(
    error: Exception, kind: Kind, name: str | None = None, *, method: str | None = None
) -> Callable[[str, str, Kind, str], None]:
    """For `before_write`: these writes of a kind are answered so, of all names and methods where none is said."""

    def refuse(asked: str, _path: str, of: Kind, named: str) -> None:
        if of == kind and name in (None, named) and method in (None, asked):
            raise error

    return refuse
