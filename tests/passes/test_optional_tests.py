"""A test of the gate that is not required, and whose data cannot be used, decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.check_plan import CheckStatus
from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_LEDGER, MODEL_TEST
from modelyard.reconcilers.custom_model.reconcile import reconcile
from modelyard.status.outcomes import Settled
from tests.support.moments import names
from tests.support.objects import NAMESPACE, make_environment, make_gate, make_model, make_version
from tests.support.world import World

V1 = make_version("hello-1", label="1.0")
GOOD = {"a.csv": "x,y\n1,2\n"}
NOT_RUN = [
    pytest.param(
        None,
        'ConfigMap "rows" of spec.dataset does not exist in namespace "team-a"; create it',
        id="no ConfigMap",
    ),
    pytest.param({"z": "1"}, 'ConfigMap "rows" of spec.dataset has no key "a.csv" (it has: z)', id="no key"),
    pytest.param(
        {"a.csv": "x,y\n1\n"},
        'data set rows.csv: line 2, column "y": no value; the line has 1 value, the header names 2 columns',
        id="bad rows",
    ),
]
"""What a ConfigMap holds that is no data, and what is told of it."""


def _rows(data: dict[str, str], name: str = "rows") -> dict[str, Any]:
    """A ConfigMap of a user's."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _gate_with_rows(*, required: bool) -> dict[str, Any]:
    """Two tests: one of inline data, and one of the key `a.csv` of the ConfigMap `rows`."""
    gate = make_gate("starts", "rows")
    dataset = {"configMap": {"name": "rows", "key": "a.csv"}, "format": "csv"}
    gate["tests"][1].update(required=required, dataset=dataset)
    return gate


async def _with_rows(data: dict[str, str] | None, *, required: bool) -> World:
    world = World()
    if data is not None:
        world.user.apply(_rows(data))
    gate = _gate_with_rows(required=required)
    world.user.apply(make_environment(), make_model(gate=gate), V1)
    await world.settle()
    return world


@pytest.mark.parametrize(("data", "told"), NOT_RUN)
async def test_a_test_that_is_not_required_and_has_no_usable_data_keeps_no_version_from_serving(
    data: dict[str, str] | None, told: str
) -> None:
    world = await _with_rows(data, required=False)
    await world.pass_time(70, step=5)
    remark = f'1 of 2 tests passed; test "rows", which is not required, was not run: {told}'
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == remark
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    (ledger,) = world.all(MODEL_LEDGER)
    assert "testing" not in ledger["spec"]
    assert all("completedAt" in test["status"] for test in world.all(MODEL_TEST)), "none can still get a turn"


@pytest.mark.parametrize(("data", "told"), NOT_RUN)
async def test_a_required_test_that_has_no_usable_data_keeps_its_version_waiting(
    data: dict[str, str] | None, told: str
) -> None:
    world = await _with_rows(data, required=True)
    await world.pass_time(2000, step=40)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1")[0] == "False"
    assert told in world.message(CUSTOM_MODEL_VERSION, "hello-1")
    assert len(names(world, MODEL_TEST)) == 2


@pytest.mark.parametrize("after", [0, 5, 15])
async def test_data_that_comes_within_the_grace_is_used_by_a_test_that_is_not_required(after: int) -> None:
    world = await _with_rows(None, required=False)
    await world.pass_time(after, step=5)
    world.user.apply(_rows(GOOD))
    await world.pass_time(40, step=5)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == "2 of 2 tests passed"


async def test_data_that_comes_after_the_verdict_starts_no_test_that_was_not_run() -> None:
    world = await _with_rows(None, required=False)
    await world.pass_time(70, step=5)
    world.user.apply(_rows(GOOD))
    before = len(world.api.writes)
    await world.pass_time(120, step=5)
    assert [str(write) for write in world.writes(since=before) if write.kind in ("Job", "ModelTest")] == []
    assert "was not run" in world.message(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed")


async def test_a_model_that_serves_rests_though_a_test_that_is_not_required_was_lost() -> None:
    """Such a test is not made anew once its version has its verdict, so there is nothing to look for."""
    world = await _with_rows(GOOD, required=False)
    (lost,) = [name for name in names(world, MODEL_TEST) if name.startswith("hello-1-rows-")]
    status = world.get(MODEL_TEST, lost)["status"]
    world.api.set_status(MODEL_TEST, NAMESPACE, lost, {**status, "overallStatus": CheckStatus.ABORTED})
    await world.pass_time(60, step=30)
    assert await reconcile(world.cluster, world.settings, NAMESPACE, "hello", world.now) == Settled()


async def test_a_test_that_was_given_up_gets_no_turn_while_its_version_is_not_promoted_yet() -> None:
    world = World()
    endpoints = world.platform._endpoints
    world.platform._endpoints = lambda namespace, name: (  # type: ignore[method-assign]
        None if name.startswith("hello-1") else endpoints(namespace, name)
    )
    gate = _gate_with_rows(required=False)
    world.user.apply(make_environment(), make_model(gate=gate), V1)
    await world.pass_time(70, step=5)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "Promoting")
    (left,) = names(world, MODEL_TEST)
    assert left.startswith("hello-1-starts-")
    world.user.apply(_rows(GOOD))
    before = len(world.api.writes)
    await world.pass_time(120, step=5)
    assert [str(write) for write in world.writes(since=before) if write.kind in ("Job", "ModelTest")] == []


async def test_a_version_does_not_say_that_it_waits_for_the_data_of_a_test_that_is_not_required() -> None:
    gate = _gate_with_rows(required=False)
    gate["tests"][0]["dataset"] = {"configMap": {"name": "needed"}, "format": "csv"}
    gate["tests"].reverse()
    world = World()
    world.user.apply(make_environment(), make_model(gate=gate), V1)
    await world.pass_time(600, step=30)
    needed = 'ConfigMap "needed" of spec.dataset does not exist in namespace "team-a"; create it'
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1").endswith(f" waits: {needed}")
    world.user.apply(_rows(GOOD, "needed"))
    await world.pass_time(60, step=30)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
