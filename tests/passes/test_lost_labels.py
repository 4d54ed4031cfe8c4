"""A child without our label is in none of our lists and watches; it is found by its name, and gets its label back."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CHILD_KINDS,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_TEST,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    Kind,
)
from tests.support.moments import conditions, names, serving_v1, workload
from tests.support.objects import NAMESPACE, make_environment, make_model, make_version
from tests.support.world import World

Manifest = dict[str, Any]

APPLIED = (CONFIG_MAP, CONTROLLER_REVISION, DEPLOYMENT, NETWORK_POLICY, POD_DISRUPTION_BUDGET, SERVICE)
MOVES: dict[str, Manifest | None] = {
    "": None,
    "an environment that moved on": make_environment(image="registry.example/envs/other:1"),
    "an environment of another number": make_environment(image="registry.example/envs/python:2"),
}
"""What became of the environment meanwhile; the last has the same digest as the one that is run."""


def _children(world: World) -> dict[tuple[str, str], Manifest]:
    """All children, whole, but for the two counters of writes: an API server takes a NetworkPolicy that is sent with
    an empty list for another one than it has."""
    return {
        (kind.name, manifest["metadata"]["name"]): {**manifest, "metadata": _uncounted(manifest["metadata"])}
        for kind in CHILD_KINDS
        for manifest in world.all(kind)
    }


def _uncounted(metadata: Manifest) -> Manifest:
    return {key: value for key, value in metadata.items() if key not in ("resourceVersion", "generation")}


def _said(world: World) -> list[dict[str, tuple[str, str]]]:
    """What the model and its versions say."""
    versions = names(world, CUSTOM_MODEL_VERSION)
    return [
        conditions(world, CUSTOM_MODEL, "hello"),
        *(conditions(world, CUSTOM_MODEL_VERSION, name) for name in versions),
    ]


def _strip(world: World, *kinds: Kind) -> None:
    """Take our label off all that was made for the model and its versions; what was made for tests is over."""
    for kind in kinds:
        for manifest in world.all(kind):
            owners = {owner["kind"] for owner in manifest["metadata"].get("ownerReferences", [])}
            if labels.MANAGED_BY in manifest["metadata"]["labels"] and owners == {CUSTOM_MODEL.name}:
                world.user.unlabel(kind, manifest["metadata"]["name"])


async def _move(world: World, environment: Manifest | None) -> None:
    if environment is not None:
        world.user.apply(environment)
        await world.settle()


@pytest.mark.parametrize("kinds", [*((kind,) for kind in APPLIED), APPLIED], ids=lambda kinds: kinds[-1].name)
@pytest.mark.parametrize("moved", MOVES)
@pytest.mark.parametrize("broken", [False, True], ids=["told", "found by a list"])
async def test_what_serves_gets_its_labels_back(kinds: tuple[Kind, ...], moved: str, broken: bool) -> None:
    world = await serving_v1(version=make_version("hello-1", label="1.0", replicas=2))
    await _move(world, MOVES[moved])
    children, said = _children(world), _said(world)

    world.watch_is_broken = broken
    _strip(world, *kinds)
    world.watch_is_broken = False
    if broken:
        world.relist()
    await world.settle()

    assert _children(world) == children
    assert _said(world) == said
    assert world.failures == []


@pytest.mark.parametrize("moved", MOVES)
async def test_a_candidate_goes_on_with_the_record_that_lost_its_label(moved: str) -> None:
    world = World()
    world.platform.behaviour["hello-1"] = "unschedulable"
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0"))
    await world.settle()
    await _move(world, MOVES[moved])
    children, said = _children(world), _said(world)

    _strip(world, CONTROLLER_REVISION)
    await world.settle()

    assert _children(world) == children
    assert _said(world) == said
    world.platform.behaviour.clear()
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


@pytest.mark.parametrize("seed", range(6))
async def test_a_candidate_under_test_is_not_tested_anew_for_the_label_of_its_record(seed: int) -> None:
    """Whichever of the passes comes first."""
    world = World(seed=seed)
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0"))
    await world.settle()
    await _move(world, MOVES["an environment that moved on"])
    children, said, tests = _children(world), _said(world), world.all(MODEL_TEST)

    _strip(world, CONTROLLER_REVISION)
    await world.settle()

    assert _children(world) == children
    assert _said(world) == said
    assert world.all(MODEL_TEST) == tests


async def test_what_serves_without_its_object_keeps_the_record_that_lost_its_label() -> None:
    world = await serving_v1()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    children, said = _children(world), _said(world)

    _strip(world, CONTROLLER_REVISION)
    await world.settle()

    assert _children(world) == children
    assert _said(world) == said


async def test_a_candidate_of_which_nothing_has_its_label_goes_on_with_its_record() -> None:
    """Nothing tells the name of the record but the same rendering: the second pass goes by what is read back."""
    world = World()
    world.platform.behaviour["hello-1"] = "unschedulable"
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0"))
    await world.settle()
    await _move(world, MOVES["an environment of another number"])
    await world.pass_time(60)
    children, said = _children(world), _said(world)

    _strip(world, *APPLIED)
    await world.settle()

    assert _children(world) == children
    assert _said(world) == said


async def test_a_test_goes_on_with_the_job_that_lost_its_label() -> None:
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0"))
    await world.settle()
    children = _children(world)
    (job,) = names(world, JOB)

    world.user.unlabel(JOB, job)
    await world.settle()

    assert _children(world) == children
    world.platform.holds_jobs = False
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


async def test_what_lost_its_label_is_in_no_list_and_told_as_deleted() -> None:
    """As the API server does it: what the tests of this file stand on."""
    world = await serving_v1()
    name = workload(world, "hello-1")
    assert world.cache.get(CONTROLLER_REVISION, NAMESPACE, name) is not None

    world.user.unlabel(CONTROLLER_REVISION, name)
    assert world.cache.get(CONTROLLER_REVISION, NAMESPACE, name) is None

    world.relist()
    assert world.cache.get(CONTROLLER_REVISION, NAMESPACE, name) is None
