"""Tests of one model run one after the other; what waits says so, what is canceled makes room, nobody blocks."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    SERVICE,
)
from tests.support.invariants import Invariants
from tests.support.moments import names, serving_v1
from tests.support.objects import NAMESPACE, make_gate, make_model, make_test, make_version
from tests.support.platform import Platform
from tests.support.world import World

Manifest = dict[str, Any]


async def _serving(**model: Any) -> World:
    """`hello-1` serves; every write from here on is held to the invariants, and Jobs run until they are let go."""
    world = await serving_v1(**model)
    Invariants(world.api)
    world.platform.holds_jobs = True
    return world


async def _apply(world: World, *tests: Manifest) -> None:
    world.user.apply(*tests)
    await world.settle()


async def _finish(world: World) -> None:
    """The Job that runs is done; the next one runs."""
    world.platform.holds_jobs = False
    running = _turn(world)
    while _turn(world) == running:
        assert await world.work() or Platform.step(world.platform, world.now), "nothing goes on"
    world.platform.holds_jobs = True
    await world.settle()


def _turn(world: World) -> str | None:
    testing = world.get(MODEL_LEDGER, "hello")["spec"].get("testing")
    return str(testing["name"]) if testing else None


def _status(world: World, name: str) -> Manifest:
    found: Manifest = world.get(MODEL_TEST, name)["status"]
    return found


def _places(world: World) -> dict[str, int]:
    found = {test["metadata"]["name"]: test["status"].get("queuePosition") for test in world.all(MODEL_TEST)}
    return {name: place for name, place in found.items() if place is not None}


def _jobs(world: World, test: str) -> list[str]:
    return [name for name in names(world, JOB) if name.startswith(f"{test}-")]


def _left(world: World, test: str) -> list[str]:
    kinds = (DEPLOYMENT, SERVICE, NETWORK_POLICY, JOB, POD)
    return [kind.name for kind in kinds for name in names(world, kind) if name.startswith(f"{test}-")]


def _gate_test(world: World, version: str) -> str:
    (name,) = [name for name in names(world, MODEL_TEST) if name.startswith(f"{version}-")]
    return name


def _cancel(world: World, test: str) -> None:
    world.user.edit(MODEL_TEST, test, spec={"cancel": True})


# --- the queue -------------------------------------------------------------------------------------------------


async def test_tests_by_hand_run_one_after_the_other_and_say_their_place() -> None:
    world = await _serving()
    await _apply(world, make_test("b"), make_test("c"), make_test("a"))
    first = _turn(world)
    waiting = sorted({"a", "b", "c"} - {str(first)})
    assert _places(world) == {waiting[0]: 1, waiting[1]: 2}
    assert _status(world, waiting[1])["overallStatus"] == "queued"
    assert world.condition(MODEL_TEST, waiting[1]) == ("Unknown", "Queued")
    assert world.message(MODEL_TEST, waiting[1]) == (
        f'2nd of 2 waiting tests of model "hello"; test "{first}" runs'
    )
    assert [name for name in names(world, JOB) if name[:2] in ("a-", "b-", "c-")] == _jobs(world, str(first))
    await _finish(world)
    assert (_turn(world), _places(world)) == (waiting[0], {waiting[1]: 1})
    await _finish(world)
    assert (_turn(world), _places(world)) == (waiting[1], {})
    await _finish(world)
    assert (_turn(world), _places(world)) == (None, {})
    for name in ("a", "b", "c"):
        assert world.condition(MODEL_TEST, name, "Succeeded") == ("True", "Passed")


async def test_the_end_of_one_and_the_turn_of_the_next_are_one_write() -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b"))
    before = len(world.api.writes)
    await _finish(world)
    assert [write.name for write in world.writes(since=before) if write.kind == "ModelLedger"] == ["hello"]


async def test_a_test_of_the_gate_overtakes_those_that_wait_and_not_the_one_that_runs() -> None:
    world = await _serving()
    await _apply(world, make_test("running"))
    await _apply(world, make_test("waiting"))
    await _apply(world, make_version("hello-2", label="2.0"))
    gate = _gate_test(world, "hello-2")
    assert (_turn(world), _places(world)) == ("running", {gate: 1, "waiting": 2})
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed") == ("Unknown", "Testing")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed") == (
        '0 of 1 tests ended; ModelTest "running" runs first, as one test of a model runs at a time'
    )
    await _finish(world)
    assert (_turn(world), _places(world)) == (gate, {"waiting": 1})
    await _finish(world)
    assert (_turn(world), _places(world)) == ("waiting", {})
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"


async def test_tests_of_the_gate_run_in_the_order_of_the_gate() -> None:
    world = await _serving(gate=make_gate("z", "a", "m"))
    await _apply(world, make_version("hello-2", label="2.0"))
    order = []
    for _ in range(3):
        order.append(str(_turn(world)).removeprefix("hello-2-")[:1])
        await _finish(world)
    assert order == ["z", "a", "m"]
    assert _turn(world) is None


async def test_time_spent_waiting_is_not_the_tests_own() -> None:
    """A gate's test that waited for longer than it may run must not end for that."""
    world = await _serving(gate=make_gate("accuracy", timeoutSeconds=60))
    await _apply(world, make_test("long", timeoutSeconds=3600))
    await _apply(world, make_version("hello-2", label="2.0"))
    await world.pass_time(600, step=100)
    assert _turn(world) == "long"
    await _finish(world)
    await _finish(world)
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"


async def test_models_do_not_wait_for_each_other() -> None:
    world = await _serving()
    world.user.apply(make_model("other"), make_version("other-1", label="1.0", modelRef={"name": "other"}))
    world.platform.holds_jobs = False
    await world.settle()
    world.platform.holds_jobs = True
    await _apply(world, make_test("a"), make_test("b", versionRef={"name": "other-1"}))
    assert len(_jobs(world, "a")) == len(_jobs(world, "b")) == 1


# --- nobody blocks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"versionRef": {"name": "hello-9"}}, "VersionNotFound"),
        ({"dataset": {"configMap": {"name": "nowhere"}, "format": "json"}}, "ConfigMapNotFound"),
    ],
)
async def test_a_test_that_cannot_start_has_no_place_and_holds_nobody_up(spec: Manifest, reason: str) -> None:
    world = await _serving()
    await _apply(world, make_test("a", **spec))
    await _apply(world, make_test("b"))
    assert world.condition(MODEL_TEST, "a") == ("Unknown", reason)
    assert (_turn(world), _places(world)) == ("b", {})


async def test_data_that_goes_while_its_test_waits_is_missed_at_its_turn() -> None:
    world = await _serving()
    rows = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rows", "namespace": NAMESPACE}}
    world.user.apply({**rows, "data": {"rows.json": '{"x": [1]}'}})
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b", dataset={"configMap": {"name": "rows"}, "format": "json"}))
    await _apply(world, make_test("c"))
    world.user.delete(CONFIG_MAP, "rows")
    await _finish(world)
    assert world.condition(MODEL_TEST, "b", "Succeeded") == ("False", "Aborted")
    assert world.message(MODEL_TEST, "b", "Succeeded") == (
        'the test could not start: ConfigMap "rows" of spec.dataset does not exist in namespace "team-a"; create it'
    )
    assert _left(world, "b") == []
    assert _turn(world) == "c"


async def test_a_test_that_is_deleted_while_it_runs_makes_room() -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b"))
    world.user.delete(MODEL_TEST, "a")
    await world.settle()
    assert (_turn(world), _left(world, "a")) == ("b", [])


async def test_a_test_that_is_made_again_waits_again() -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b"))
    await world.pass_time(1)
    world.user.delete(MODEL_TEST, "a")
    await _apply(world, make_test("a"))
    assert (_turn(world), _places(world)) == ("b", {"a": 1})


async def test_a_turn_goes_on_when_the_version_is_deleted_and_ends_with_its_test() -> None:
    world = await _serving()
    world.user.apply(make_version("hello-2", label="2.0"))
    await world.settle()
    await _finish(world)
    await world.pass_time(60, step=30)
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b", versionRef={"name": "hello-2"}))
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    assert (_turn(world), _places(world)) == ("a", {"b": 1})
    await _finish(world)
    assert world.condition(MODEL_TEST, "a", "Succeeded") == ("True", "Passed")
    assert _turn(world) == "b"


async def test_a_ledger_that_was_lost_gives_the_turn_to_what_runs() -> None:
    world = await _serving()
    world.api.after_write = None  # what was passed before is not known any more, and serves on
    await _apply(world, make_test("b"))
    await _apply(world, make_test("a"))
    world.user.delete(MODEL_LEDGER, "hello")
    await world.settle()
    assert (_turn(world), _places(world)) == ("b", {"a": 1})
    assert len(_jobs(world, "b")) == 1


# --- cancel ----------------------------------------------------------------------------------------------------


async def test_cancel_ends_a_test_that_runs_and_leaves_nothing() -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b"))
    _cancel(world, "a")
    await world.settle()
    assert _left(world, "a") == []
    assert world.condition(MODEL_TEST, "a") == ("True", "Completed")
    assert world.condition(MODEL_TEST, "a", "Succeeded") == ("False", "Canceled")
    assert world.message(MODEL_TEST, "a", "Succeeded") == "canceled"
    assert _status(world, "a")["overallStatus"] == "canceled"
    assert {check["status"] for check in _status(world, "a")["testingStatus"].values()} == {"aborted"}
    assert _turn(world) == "b"


async def test_cancel_ends_a_test_in_the_pass_that_sees_it() -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    _cancel(world, "a")
    await world.work()
    assert _status(world, "a")["overallStatus"] == "canceled"
    assert not {"Job", "Deployment", "Service"} & set(_left(world, "a"))


@pytest.mark.parametrize("spec", [{}, {"versionRef": {"name": "hello-9"}}], ids=["queued", "blocked"])
async def test_cancel_ends_a_test_that_waits_without_a_turn(spec: Manifest) -> None:
    world = await _serving()
    await _apply(world, make_test("a"))
    await _apply(world, make_test("b", **spec))
    before = len(world.api.writes)
    _cancel(world, "b")
    await world.settle()
    assert world.condition(MODEL_TEST, "b", "Succeeded") == ("False", "Canceled")
    assert "queuePosition" not in _status(world, "b")
    assert [str(write) for write in world.writes(since=before)] == ["apply ModelTest b/status"]
    assert _turn(world) == "a"


async def test_a_test_that_is_canceled_from_the_start_starts_nothing() -> None:
    world = await _serving()
    before = len(world.api.writes)
    await _apply(world, make_test("a", cancel=True))
    assert [str(write) for write in world.writes(since=before)] == ["apply ModelTest a/status"]


async def test_cancel_after_the_end_changes_nothing_but_what_was_seen() -> None:
    world = await _serving()
    world.platform.holds_jobs = False
    await _apply(world, make_test("a"))
    before = _status(world, "a")["conditions"], _jobs(world, "a")
    _cancel(world, "a")
    await world.settle()
    assert _status(world, "a")["overallStatus"] == "succeeded"
    assert [c["reason"] for c in _status(world, "a")["conditions"]] == [c["reason"] for c in before[0]]
    assert _jobs(world, "a") == before[1]


async def test_a_canceled_test_of_the_gate_refuses_its_version() -> None:
    world = await _serving()
    await _apply(world, make_version("hello-2", label="2.0"))
    gate = _gate_test(world, "hello-2")
    _cancel(world, gate)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed") == ("False", "TestsFailed")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-2") == 'test "starts" failed: canceled'
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-1"
    world.user.delete(MODEL_TEST, gate)
    await world.settle()
    assert [name for name in names(world, MODEL_TEST) if name.startswith("hello-2-")] == []


async def test_a_canceled_test_of_the_gate_that_is_deleted_before_the_verdict_runs_again() -> None:
    world = await _serving(gate=make_gate("first", "last"))
    await _apply(world, make_version("hello-2", label="2.0"))
    first = str(_turn(world))
    _cancel(world, first)
    await world.settle()
    assert _status(world, first)["overallStatus"] == "canceled"
    world.user.delete(MODEL_TEST, first)
    await world.settle()
    await _finish(world)
    assert _turn(world) == first
    await _finish(world)
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"


async def test_an_edited_gate_asks_a_version_again_whose_test_was_canceled() -> None:
    world = await _serving()
    await _apply(world, make_version("hello-2", label="2.0"))
    _cancel(world, _gate_test(world, "hello-2"))
    await world.settle()
    world.user.apply(make_model(gate=make_gate("accuracy")))
    world.platform.holds_jobs = False
    await world.settle()
    await world.pass_time(60, step=30)
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"


async def test_what_a_user_writes_into_a_test_of_the_gate_stays_and_it_counts() -> None:
    world = await _serving(gate=make_gate("first", "last"))
    await _apply(world, make_version("hello-2", label="2.0"))
    first = str(_turn(world))
    world.user.edit(MODEL_TEST, first, spec={"ttlSecondsAfterFinished": 86400})
    await _finish(world)
    await _finish(world)
    assert world.get(MODEL_TEST, first)["spec"]["ttlSecondsAfterFinished"] == 86400
    assert world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"
