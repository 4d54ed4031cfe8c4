"""The columns that a version passed its tests with: from the test's status to the ledger, and to its Service for the
gateway."""

from __future__ import annotations

import json
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_LEDGER, MODEL_TEST, SERVICE
from tests.support.moments import CHECK, checked, serving_v1, workload
from tests.support.objects import make_dataset, make_environment, make_gate, make_model, make_version
from tests.support.world import World

Manifest = dict[str, Any]

FLATS = '[{"area": 55.5, "rooms": 2, "district": "west", "new": true}, {"area": 28, "district": null}]'
COLUMNS = [
    {"name": "area", "datatype": "FP64"},
    {"name": "rooms", "datatype": "INT64"},
    {"name": "district", "datatype": "BYTES"},
    {"name": "new", "datatype": "BOOL"},
]
GATE = make_gate("flats", dataset=make_dataset(FLATS))


def route(world: World, version: str = "hello-1") -> Manifest:
    """What the Service of a version says to the gateway."""
    service = world.get(SERVICE, workload(world, version))
    found: Manifest = json.loads(service["metadata"]["annotations"][labels.ROUTE])
    return found


def services(world: World, since: int) -> list[str]:
    """Writes to Services of versions."""
    return [
        f"{w.verb} {w.name}" for w in world.writes(since=since) if w.kind == "Service" and w.name != "hello"
    ]


async def test_a_test_says_which_columns_it_sent() -> None:
    world = await serving_v1(gate=GATE)
    (test,) = world.all(MODEL_TEST)
    assert test["status"]["columns"] == COLUMNS


async def test_the_ledger_keeps_them_with_the_verdict_and_the_service_tells_of_them() -> None:
    world = await serving_v1(gate=GATE)
    (fact,) = world.get(MODEL_LEDGER, "hello")["spec"]["versions"]
    assert fact["verdict"]["columns"] == COLUMNS
    assert route(world) == {
        "model": "hello",
        "label": "1.0",
        "urlPrefix": "/models/team-a/hello",
        "target": {"type": "Regression", "name": "y"},
        "columns": COLUMNS,
    }


async def test_they_cost_one_write_of_the_service_after_the_verdict() -> None:
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(gate=GATE), make_version("hello-1"))
    await world.settle()
    assert "columns" not in route(world)
    world.platform.holds_jobs, before = False, len(world.api.writes)
    await world.settle()
    await world.pass_time(3600, step=600)
    assert services(world, before) == [f"apply {workload(world, 'hello-1')}"]


async def test_a_new_operator_writes_nothing() -> None:
    world = await serving_v1(gate=GATE)
    before, passes = len(world.api.writes), world.passes
    world.start_operator()
    await world.settle()
    assert world.passes > passes
    assert world.writes(since=before) == []


async def test_without_data_nothing_is_said_and_nothing_is_written() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), make_version("hello-1"))
    await world.settle()
    await world.pass_time(60)
    (fact,) = world.get(MODEL_LEDGER, "hello")["spec"]["versions"]
    (test,) = world.all(MODEL_TEST)
    assert "columns" not in {*fact["verdict"], *test["status"], *route(world)}
    assert services(world, 0) == [f"create {workload(world, 'hello-1')}"]


async def test_a_version_that_is_refused_tells_of_none() -> None:
    world = World()
    world.platform.failing_tests["second"] = "row 2: prediction is NaN"
    gate = {"tests": [*GATE["tests"], *make_gate("second")["tests"]]}
    world.user.apply(make_environment(), make_model(gate=gate), make_version("hello-1"))
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TestsFailed")
    assert "columns" not in route(world)
    assert services(world, 0) == [f"create {workload(world, 'hello-1')}"]


async def test_of_several_tests_the_first_that_knows_is_told() -> None:
    """In the order of the gate. One that skips the errorCheck knows nothing of the data that it sends."""
    skips = {**GATE["tests"][0]["configuration"], "errorCheck": "skip"}
    nested, other = make_dataset('{"x": [[1], [2]]}'), make_dataset('{"x": ["a", "b"]}')
    gate = {
        "tests": [
            *make_gate("skips", configuration=skips)["tests"],
            *make_gate("nested", dataset=nested)["tests"],
            *GATE["tests"],
            *make_gate("other", dataset=other)["tests"],
        ]
    }
    assert route(await serving_v1(gate=gate))["columns"] == COLUMNS


async def test_a_test_by_hand_changes_nothing() -> None:
    """Anybody may make one."""
    world = await serving_v1(gate=GATE)
    before = len(world.api.writes)
    await checked(world, dataset=make_dataset('{"other": [1, 2]}'))
    assert world.get(MODEL_TEST, CHECK)["status"]["columns"] == [{"name": "other", "datatype": "INT64"}]
    assert (route(world)["columns"], services(world, before)[2:]) == (COLUMNS, [])


async def test_what_somebody_writes_over_them_is_put_back() -> None:
    world = await serving_v1(gate=GATE)
    name = workload(world, "hello-1")
    service = world.get(SERVICE, name)
    forged = {**service["metadata"]["annotations"], labels.ROUTE: "{}"}
    world.user.edit(SERVICE, name, metadata={**service["metadata"], "annotations": forged})
    await world.settle()
    assert route(world)["columns"] == COLUMNS


async def test_a_version_whose_object_is_gone_goes_on_telling_of_them() -> None:
    world = await serving_v1(gate=GATE)
    name, before = workload(world, "hello-1"), len(world.api.writes)
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    await world.pass_time(60, step=30)
    told = world.get(SERVICE, name)["metadata"]["annotations"][labels.ROUTE]
    assert json.loads(told)["columns"] == COLUMNS
    assert services(world, before) == []


async def test_other_data_in_the_gate_tells_of_the_next_version_alone() -> None:
    world = await serving_v1(gate=GATE)
    other = make_gate("flats", dataset=make_dataset('{"x": ["a"]}'))
    world.user.edit(CUSTOM_MODEL, "hello", spec={**world.get(CUSTOM_MODEL, "hello")["spec"], "gate": other})
    world.user.apply(make_version("hello-2", label="2.0"))
    await world.settle()
    await world.pass_time(60, step=30)
    assert route(world, "hello-2")["columns"] == [{"name": "x", "datatype": "BYTES"}]
    assert route(world, "hello-1")["columns"] == COLUMNS
