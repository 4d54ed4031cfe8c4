"""A warning does not hold a version up, and is told wherever its test is told of."""

from __future__ import annotations

from typing import Any

from modelyard.api.check_plan import CheckCounts, CheckName, CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.kinds import CUSTOM_MODEL_VERSION, EVENT, JOB, MODEL_LEDGER, MODEL_TEST, POD
from tests.support.moments import conditions, names
from tests.support.objects import NAMESPACE, make_environment, make_gate, make_model, make_version
from tests.support.world import World

NULLS = 'column "age" nulled: 2 of 3 rows came back'
SUMMARY = CheckSummary(
    overall_status=CheckStatus.WARNING,
    checks={
        CheckName.LONG_RUNNING_SERVICE: CheckOutcome(status=CheckStatus.SUCCEEDED, message="all up"),
        CheckName.ERROR_CHECK: CheckOutcome(status=CheckStatus.SUCCEEDED, message="3 rows"),
        CheckName.NULL_VALUE_IMPUTATION: CheckOutcome(status=CheckStatus.WARNING, message=NULLS),
        CheckName.SIDE_EFFECTS: CheckOutcome(status=CheckStatus.SUCCEEDED, message="the same in any order"),
    },
    counts=CheckCounts(rows=3, requests=9),
)


async def _warned() -> World:
    """`hello-1` has passed its gate with a warning."""
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(gate=make_gate("accuracy")), make_version("hello-1"))
    await world.settle()
    (job,) = world.all(JOB)
    world.platform._pod(job, 0)
    (runner,) = [name for name in names(world, POD) if name.startswith(job["metadata"]["name"])]
    ended: dict[str, Any] = {
        "exitCode": 0,
        "reason": "Completed",
        "message": SUMMARY.to_termination().decode(),
        "startedAt": "2026-01-01T12:00:00Z",
        "finishedAt": "2026-01-01T12:00:00Z",
    }
    container = {"name": "check", "ready": False, "restartCount": 0, "state": {"terminated": ended}}
    status = {"phase": "Succeeded", "containerStatuses": [{**container, "image": "i", "imageID": "i"}]}
    world.api.set_status(POD, NAMESPACE, runner, status)
    await world.settle()
    return world


async def test_a_warning_passes_and_names_the_check_that_warned() -> None:
    world = await _warned()
    (test,) = names(world, MODEL_TEST)
    assert conditions(world, MODEL_TEST, test)["Succeeded"] == ("True", "Warning")
    assert world.message(MODEL_TEST, test, "Succeeded") == f"nullValueImputation: {NULLS}"
    assert world.get(MODEL_TEST, test)["status"]["overallStatus"] == "warning"


async def test_the_version_and_its_model_tell_of_the_warning() -> None:
    world = await _warned()
    warned = f'test "accuracy" warned: nullValueImputation: {NULLS}'
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == ("True", "Passed")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == f"1 of 1 tests passed; {warned}"
    notes = {event["note"] for event in world.all(EVENT) if event["reason"] == "TestsPassed"}
    assert notes == {f'version "hello-1" (1.0) passed its tests; {warned}'}
    (fact,) = world.get(MODEL_LEDGER, "hello")["spec"]["versions"]
    assert [(test["result"], test["warned"]) for test in fact["verdict"]["tests"]] == [("Passed", True)]
