"""What one new version costs in a settled system, write by write. A second pass costs nothing.

A number here is a promise to the API server. Whoever changes one says why in the commit.
"""

from __future__ import annotations

from collections import Counter

import pytest

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, EXECUTION_ENVIRONMENT, MODEL_TEST
from tests.support.objects import Manifest, make_environment, make_gate, make_model, make_version
from tests.support.world import World
from tests.support.world_api import Write

CHILDREN = {
    # of the version
    "create ConfigMap": 1 + 1 + 1,  # its code, the plan of its test, and the report of that test
    "create ControllerRevision": 1,
    "create NetworkPolicy": 1 + 1,  # around its pods, and around its test's pod
    "create Service": 1,
    "create Deployment": 1,
    # of its test
    "create ModelTest": 1,
    "create Job": 1,
    # the switch: the stable Service to the new version, the old Deployment to zero
    "apply Service": 1,
    "apply Deployment": 1,
}
WITH_DATA = {"apply Service": 1 + 1}
"""Instead, if the gate has data: the version's own Service tells the gateway of its columns, once they are known."""

LEDGER = {
    "replace ModelLedger": 4
}  # label; the test's turn; verdict, promotion and the turn's end; switch seen
STATUS = {
    # new: (waits for its label), starting, (ready), under test, (tested), serving; old: drains, done, stopped
    "apply CustomModelVersion/status": range(3 + 3, 6 + 3 + 1),
    "apply CustomModel/status": range(3, 3 + 1),  # progressing, promoting, serving
    "apply ModelTest/status": range(3, 3 + 1),  # waits for its turn, running, ended
}
"""Transitions; those in brackets depend on which of two passes comes first."""

EVENTS = {"create Event": 2}  # tests passed, promoted


def _count(writes: list[Write]) -> dict[str, int]:
    return dict(Counter(f"{w.verb} {w.kind}{'/' + w.subresource if w.subresource else ''}" for w in writes))


async def _with_v1(seed: int = 0, gate: Manifest | None = None) -> World:
    world = World(seed=seed)
    world.user.apply(make_environment(), make_model(gate=gate), make_version("hello-1", label="1.0"))
    await world.settle()
    await world.pass_time(60)
    return world


@pytest.mark.parametrize("seed", range(6))
async def test_one_new_version_in_a_settled_system(seed: int) -> None:
    assert await _cost(await _with_v1(seed)) == CHILDREN | LEDGER | EVENTS


@pytest.mark.parametrize("seed", range(6))
async def test_one_new_version_that_is_tested_with_data(seed: int) -> None:
    world = await _with_v1(seed, make_gate("accuracy"))
    assert await _cost(world) == CHILDREN | WITH_DATA | LEDGER | EVENTS


async def _cost(world: World) -> dict[str, int]:
    """What a second version writes, but for transitions of status, which are as STATUS has them."""
    before = len(world.api.writes)
    world.user.apply(make_version("hello-2", label="2.0"))
    await world.settle()
    await world.pass_time(60)
    found = _count(world.writes(since=before))
    transitions = {what: found.pop(what) for what in STATUS}
    assert all(count in STATUS[what] for what, count in transitions.items()), transitions
    return found


async def test_a_second_pass_over_everything_writes_nothing() -> None:
    world = await _with_v1()
    before = len(world.api.writes)
    passes = world.passes
    world.start_operator()
    await world.settle()
    await world.pass_time(3600, step=600)
    assert world.passes > passes
    assert world.writes(since=before) == []


async def test_changes_that_do_not_matter_write_nothing() -> None:
    """Level-triggered: why a pass was woken does not matter."""
    world = await _with_v1()
    before, passes = len(world.api.writes), world.passes
    for kind, name in (
        (CUSTOM_MODEL, "hello"),
        (CUSTOM_MODEL_VERSION, "hello-1"),
        (EXECUTION_ENVIRONMENT, "python"),
    ):
        world.user.edit(
            kind, name, metadata={**world.get(kind, name)["metadata"], "annotations": {"by": "hand"}}
        )
    await world.settle()
    assert world.passes > passes
    assert world.writes(since=before) == []


async def test_user_objects_get_no_annotation_finalizer_or_owner() -> None:
    world = await _with_v1()
    for kind, name in (
        (CUSTOM_MODEL, "hello"),
        (CUSTOM_MODEL_VERSION, "hello-1"),
        (EXECUTION_ENVIRONMENT, "python"),
    ):
        assert not {"annotations", "finalizers", "ownerReferences"} & world.get(kind, name)["metadata"].keys()


async def test_an_ended_test_is_never_written_again() -> None:
    world = await _with_v1()
    (test,) = world.all(MODEL_TEST)
    before = len(world.api.writes)
    await world.pass_time(7200, step=600)
    assert world.get(MODEL_TEST, test["metadata"]["name"]) == test
    assert world.writes(since=before) == []
