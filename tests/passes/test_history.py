"""Passes over tests that have ended: in time they go, by their own word or by the limits of their gate."""

from __future__ import annotations

import json
from typing import Any

from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    POD,
)
from modelyard.roles.roles import Role
from tests.support.moments import CHECK, checked, names, reports, serving_v1
from tests.support.objects import make_gate, make_test, make_version
from tests.support.world import World

Manifest = dict[str, Any]


# --- how long a test is kept -----------------------------------------------------------------------------------


async def test_a_test_is_deleted_in_its_time_with_all_that_it_owns() -> None:
    world = await checked(ttlSecondsAfterFinished=90)
    await world.pass_time(89, step=1)
    assert CHECK in names(world, MODEL_TEST)

    await world.pass_time(1, step=1)
    assert CHECK not in names(world, MODEL_TEST)
    assert [name for kind in (JOB, CONFIG_MAP, POD) for name in names(world, kind) if CHECK in name] == []


async def test_nothing_wakes_for_it_before_its_time() -> None:
    world = await checked(ttlSecondsAfterFinished=500)
    await world.pass_time(60, step=1)
    passes = world.passes
    await world.pass_time(430, step=1)

    assert world.passes == passes


async def test_a_time_of_nothing_is_enough_for_the_verdict_to_be_said() -> None:
    world = await serving_v1()
    before = len(world.api.writes)
    await checked(world, ttlSecondsAfterFinished=0)

    assert CHECK not in names(world, MODEL_TEST)
    said = [write.after for write in world.writes(since=before) if write.subresource and write.name == CHECK]
    assert said[-1] is not None
    assert said[-1]["status"]["overallStatus"] == "succeeded"


async def test_the_time_may_be_set_and_taken_back_after_the_end() -> None:
    world = await checked()
    await world.pass_time(300, step=60)
    world.user.edit(MODEL_TEST, CHECK, spec={"ttlSecondsAfterFinished": 600})
    await world.settle()
    test = world.get(MODEL_TEST, CHECK)
    assert test["status"]["observedGeneration"] == test["metadata"]["generation"] == 2
    assert test["status"]["report"]
    world.user.edit(MODEL_TEST, CHECK, spec={"ttlSecondsAfterFinished": 100000})
    await world.settle()
    await world.pass_time(1200, step=60)
    assert CHECK in names(world, MODEL_TEST)

    world.user.edit(MODEL_TEST, CHECK, spec={"ttlSecondsAfterFinished": 30})
    await world.settle()
    assert CHECK not in names(world, MODEL_TEST)


async def test_a_test_that_was_made_again_meanwhile_is_not_deleted() -> None:
    """Only the watch has not brought the news yet."""
    world = await checked(ttlSecondsAfterFinished=60)
    world.watch_is_broken = True
    world.user.delete(MODEL_TEST, CHECK)
    world.user.apply(make_test(CHECK))
    uid = world.get(MODEL_TEST, CHECK)["metadata"]["uid"]
    await world.pass_time(120, step=10)

    assert world.get(MODEL_TEST, CHECK)["metadata"]["uid"] == uid


async def test_nobody_can_make_a_gate_forget_what_it_asked() -> None:
    world = await serving_v1()
    (test,) = names(world, MODEL_TEST)
    world.user.edit(MODEL_TEST, test, spec={"ttlSecondsAfterFinished": 0})
    await world.pass_time(60)

    assert names(world, MODEL_TEST) == [test]


# --- history ---------------------------------------------------------------------------------------------------


def _gate(good: int, bad: int) -> Manifest:
    return {
        **make_gate("starts"),
        "successfulTestsHistoryLimit": good,
        "failedTestsHistoryLimit": bad,
    }


def _of(world: World, version: str) -> list[str]:
    return [
        test["metadata"]["name"]
        for test in world.all(MODEL_TEST)
        if test["spec"]["versionRef"]["name"] == version
    ]


async def _with_versions(last: int, gate: Manifest, failing: tuple[int, ...] = ()) -> World:
    """Versions 1 to `last` of `hello`, one after the other; of those that fail the tests fail."""
    world = await serving_v1(gate=gate)
    for number in range(2, last + 1):
        name = f"hello-{number}"
        if number in failing:
            world.platform.failing[name] = "row 2: not a number"
        world.user.apply(make_version(name, label=f"{number}.0"))
        await world.settle()
        await world.pass_time(60, step=30)
    return world


async def test_old_tests_beyond_the_limits_go_the_oldest_first() -> None:
    world = await _with_versions(6, _gate(2, 1), failing=(3, 4))

    assert [bool(_of(world, f"hello-{number}")) for number in range(1, 7)] == [
        False,  # passed long ago
        True,  # passed, among the last two
        False,  # failed, and another has since
        True,  # failed last
        True,  # passed, among the last two
        True,  # serves
    ]


async def test_they_are_not_made_again_and_their_verdicts_stay() -> None:
    world = await _with_versions(4, _gate(0, 0), failing=(2,))
    assert [_of(world, f"hello-{number}") != [] for number in (1, 2, 3, 4)] == [False, False, False, True]
    before = len(world.api.writes)
    world.start_operator()
    await world.settle()
    await world.pass_time(3600, step=300)

    assert world.writes(since=before) == []
    ledger = world.get(MODEL_LEDGER, "hello")["spec"]["versions"]
    assert {fact["name"]: fact["verdict"]["result"] for fact in ledger} == {
        "hello-1": "Passed",
        "hello-2": "Failed",
        "hello-3": "Passed",
        "hello-4": "Passed",
    }
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed") == ("False", "TestsFailed")
    assert "row 2: not a number" in world.message(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed")


async def test_a_lower_limit_takes_effect_at_once() -> None:
    world = await _with_versions(4, _gate(5, 5))
    assert all(_of(world, f"hello-{number}") for number in (1, 2, 3, 4))
    world.user.edit(CUSTOM_MODEL, "hello", spec={"gate": _gate(1, 5)})
    await world.settle()

    assert [_of(world, f"hello-{number}") != [] for number in (1, 2, 3, 4)] == [False, False, True, True]


async def test_their_reports_and_jobs_go_with_them() -> None:
    world = await _with_versions(3, _gate(0, 0))

    (test,) = names(world, MODEL_TEST)
    assert len(reports(world)) == len(names(world, JOB)) == 1
    assert reports(world)[0].startswith("report-hello-3-starts-")
    assert names(world, JOB)[0].startswith(test[:16])


async def test_a_candidate_that_is_refused_keeps_its_tests_until_its_verdict_is_a_fact() -> None:
    """With limits of nothing they go in the very pass that wrote it, and not before."""
    world = await _with_versions(2, _gate(0, 0), failing=(2,))

    ledger = [write for write in world.writes() if write.kind == "ModelLedger"]
    deletes = [write for write in world.writes() if write.verb == "delete" and write.kind == "ModelTest"]
    verdict = next(
        write
        for write in ledger
        if write.after and '"Failed"' in json.dumps(write.after["spec"]["versions"][-1].get("verdict") or {})
    )
    (delete,) = deletes
    assert delete.name.startswith("hello-2-starts-")
    assert world.api.writes.index(verdict) < world.api.writes.index(delete)


async def test_tests_by_hand_are_no_history_of_the_gate() -> None:
    world = await checked(await _with_versions(3, _gate(0, 0)))
    await world.pass_time(600, step=60)

    assert CHECK in names(world, MODEL_TEST)
    assert world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["role"] == Role.SUPERSEDED
