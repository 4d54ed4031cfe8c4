"""A test by hand runs on a copy of its version, with what it overrides, and leaves nothing but its word."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.check_plan import CheckName, CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.reconcilers.model_test.reconcile import reconcile
from tests.support.invariants import Invariants
from tests.support.moments import CHECK, key, names, serving_v1, serving_v2, workload
from tests.support.objects import NAMESPACE, make_test, make_version
from tests.support.platform import Behaviour
from tests.support.world import World

Manifest = dict[str, Any]

MADE = (DEPLOYMENT, SERVICE, ENDPOINT_SLICE, NETWORK_POLICY, CONFIG_MAP, JOB, POD)


def _left(world: World) -> list[str]:
    """Kinds of what there is of the check, itself apart."""
    return [kind.name for kind in MADE for name in names(world, kind) if name.startswith(f"{CHECK}-")]


def _status(world: World) -> Manifest:
    found: Manifest = world.get(MODEL_TEST, CHECK)["status"]
    return found


async def _starting(behaviour: Behaviour = "starting", **test: Any) -> World:
    """A test by hand whose copy has been made."""
    quick = make_version("hello-1", label="1.0", startup={"timeoutSeconds": 20}, maximumMemory="1Gi")
    world = await serving_v1(version=quick)
    Invariants(world.api)
    world.platform.behaviour[CHECK] = behaviour
    world.user.apply(make_test(CHECK, **test))
    await world.settle()
    return world


def _copy(world: World) -> Manifest:
    return world.get(DEPLOYMENT, _status(world)["workload"])


# --- what it is ------------------------------------------------------------------------------------------------


async def test_the_copy_is_the_version_but_for_its_labels() -> None:
    world = await _starting()
    copied, original = _copy(world), world.get(DEPLOYMENT, workload(world, "hello-1"))
    assert copied["spec"]["template"]["spec"] == original["spec"]["template"]["spec"]
    assert copied["spec"]["replicas"] == 1
    assert copied["spec"]["template"]["metadata"]["labels"] == {
        labels.MANAGED_BY: "modelyard",
        labels.OF_TEST: CHECK,
        labels.EGRESS: "none",
        labels.WORKLOAD: copied["metadata"]["name"],
    }
    (owner,) = copied["metadata"]["ownerReferences"]
    assert owner["uid"] == world.get(MODEL_TEST, CHECK)["metadata"]["uid"]


async def test_a_test_may_override_memory_replicas_spread_and_egress() -> None:
    overrides: Manifest = {
        "maximumMemory": "256Mi",
        "replicas": 2,
        "requiresHa": True,
        "networkEgressPolicy": "PUBLIC",
    }
    world = await _starting(**overrides)
    name, spec = _copy(world)["metadata"]["name"], _copy(world)["spec"]
    pod = spec["template"]["spec"]
    (term,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert spec["replicas"] == 2
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "256Mi"
    assert term["labelSelector"]["matchLabels"] == {labels.WORKLOAD: name}
    assert spec["template"]["metadata"]["labels"][labels.EGRESS] == "public"
    assert world.get(NETWORK_POLICY, name)["spec"]["egress"]
    assert world.all(POD_DISRUPTION_BUDGET) == []
    served = world.get(DEPLOYMENT, workload(world, "hello-1"))["spec"]
    assert (served["replicas"], "affinity" in served["template"]["spec"]) == (1, False)


async def test_only_its_own_runner_reaches_the_copy_and_the_runner_nothing_else() -> None:
    world = await _starting("ready")
    world.user.delete(MODEL_TEST, CHECK)
    world.platform.holds_jobs = True
    world.user.apply(make_test(CHECK))
    await world.settle()
    (job,) = [found for found in world.all(JOB) if found["metadata"]["name"].startswith(CHECK)]
    copy = _status(world)["workload"]
    runner = job["spec"]["template"]["metadata"]["labels"]
    (source,) = world.get(NETWORK_POLICY, copy)["spec"]["ingress"][0]["from"]
    (way,) = world.get(NETWORK_POLICY, job["metadata"]["name"])["spec"]["egress"]
    assert source["podSelector"]["matchLabels"].items() <= runner.items()
    assert runner[labels.TESTS] != key(world, "hello-1")
    assert way["to"] == [{"podSelector": {"matchLabels": {labels.WORKLOAD: copy}}}]


async def test_no_service_but_its_own_sends_to_the_copy() -> None:
    world = await _starting("ready", replicas=2)
    world.user.delete(MODEL_TEST, CHECK)
    world.platform.holds_jobs = True
    world.user.apply(make_test(CHECK, replicas=2))
    await world.settle()
    copies = {name for name in names(world, POD) if name.startswith(_status(world)["workload"])}
    assert len(copies) == 2
    reached = {
        found["metadata"]["name"]: {endpoint["targetRef"]["name"] for endpoint in found["endpoints"]} & copies
        for found in world.all(ENDPOINT_SLICE)
    }
    assert {name for name, pods in reached.items() if pods} == {f"{_status(world)['workload']}-slice"}


# --- what it needs ---------------------------------------------------------------------------------------------


async def test_a_version_that_was_superseded_is_tested_on_a_copy() -> None:
    world = await serving_v2()
    world.user.apply(make_test(CHECK))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


async def test_a_version_that_never_ran_is_waited_for_and_said_to_have_no_record() -> None:
    world = await serving_v2(second=make_version("hello-2", label="2.0"))
    world.user.apply(make_version("hello-0", label="0.1"), make_test(CHECK, versionRef={"name": "hello-0"}))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "WaitingForVersion")
    assert world.message(MODEL_TEST, CHECK) == (
        'version "hello-0" is Superseded and was never started, so that there is no record of what it would run; '
        "apply the same content as a new version"
    )
    assert "queuePosition" not in _status(world)


async def test_code_that_somebody_deleted_is_missed_by_name() -> None:
    world = await serving_v2()
    (code,) = [
        name for name in names(world, CONFIG_MAP) if name.startswith("hello-1-") and "starts" not in name
    ]
    world.user.delete(CONFIG_MAP, code)
    world.user.apply(make_test(CHECK))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "CodeLost")
    assert world.message(MODEL_TEST, CHECK).startswith(
        f'ConfigMap "{code}", the copy of the code of version "hello-1", is gone;'
    )


# --- what is left ------------------------------------------------------------------------------------------------


async def test_nothing_is_left_but_the_job_its_pod_and_the_word() -> None:
    world = await _starting("ready")
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert _left(world) == ["Job", "Pod"]


async def test_the_wall_stands_until_the_last_pod_is_gone() -> None:
    """A model that is told to end runs on for a while; it must not find the door open then."""
    world = await _starting("ready")
    world.user.delete(MODEL_TEST, CHECK)
    world.api.collector_is_late = True
    world.user.apply(make_test(CHECK))
    await world.settle()
    wall = _status(world)["workload"]
    assert world.condition(MODEL_TEST, CHECK) == ("True", "Completed")
    assert (wall in names(world, DEPLOYMENT), wall in names(world, NETWORK_POLICY)) == (False, True)
    world.api.collect()
    await world.settle()
    assert wall not in names(world, NETWORK_POLICY)


# --- when it does not come up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("crashes", 'container "model" ended with exit code 1 (3 restarts); it said: "ImportError'),
        ("silent", 'container "model" runs but does not answer GET $URL_PREFIX/ with 200'),
    ],
)
async def test_a_copy_that_never_gets_up_by_its_own_fault_fails_its_test(
    behaviour: Behaviour, words: str
) -> None:
    world = await _starting(behaviour)
    await world.pass_time(40, step=20)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("Unknown", "Starting")
    await world.pass_time(40, step=20)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "TestFailed")
    message = world.message(MODEL_TEST, CHECK, "Succeeded")
    assert message.startswith("longRunningService: the test's copy of the version never came up: pod ")
    assert words in message
    assert {name: check["status"] for name, check in _status(world)["testingStatus"].items()} == {
        "longRunningService": "failed",
        "errorCheck": "aborted",
        "nullValueImputation": "aborted",
        "sideEffects": "aborted",
    }
    assert _left(world) == []


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ("unschedulable", "InsufficientNodes", "can't be scheduled: 0/2 nodes are available"),
        ("unpullable", "ImagePullFailed", "can't be pulled: manifest unknown."),
    ],
)
async def test_a_copy_that_cannot_be_placed_is_waited_for_and_then_given_up(
    behaviour: Behaviour, reason: str, words: str
) -> None:
    world = await _starting(behaviour, timeoutSeconds=120)
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", reason)
    assert words in world.message(MODEL_TEST, CHECK)
    await world.pass_time(100, step=50)
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", reason)
    await world.pass_time(60, step=30)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Aborted")
    message = world.message(MODEL_TEST, CHECK, "Succeeded")
    assert message.startswith("the test could not start within its 120 s (spec.timeoutSeconds): pod ")
    assert words in message
    assert _status(world)["overallStatus"] == "aborted"
    assert _left(world) == []


async def test_a_model_killed_for_memory_under_an_override_is_told_whose_limit_it_was() -> None:
    world = await _starting("silent", maximumMemory="256Mi")
    copy = _status(world)["workload"]
    status = world.get(POD, f"{copy}-0")["status"]
    died = {
        "exitCode": 137,
        "reason": "OOMKilled",
        "startedAt": "2026-01-01T12:01:01Z",
        "finishedAt": "2026-01-01T12:01:03Z",
    }
    container = {
        "name": "model",
        "ready": False,
        "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": died},
    }
    world.platform._set = lambda *_: None  # type: ignore[method-assign]
    world.api.set_status(POD, NAMESPACE, f"{copy}-0", {**status, "containerStatuses": [container]})
    await world.pass_time(80, step=20)
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        "longRunningService: the test's copy of the version never came up: "
        f'pod {copy}-0, container "model" was killed for using more than its memory limit of 256Mi (4 restarts). '
        "The limit is the one of this test (spec.maximumMemory); the version's own is 1Gi. "
        "Next: test with more, or make the model smaller in a new version."
    )


async def test_a_model_killed_for_memory_during_the_run_is_told_with_limit_and_restarts() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(make_test(CHECK, maximumMemory="256Mi"))
    await world.settle()
    copy, (job,) = _status(world)["workload"], [n for n in names(world, JOB) if n.startswith(CHECK)]
    world.platform._pod(world.get(JOB, job), 0)
    status = world.get(POD, f"{copy}-0")["status"]
    at = "2026-01-01T12:01:30Z"
    died = {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-01-01T12:01:00Z", "finishedAt": at}
    container = {**status["containerStatuses"][0], "restartCount": 1, "lastState": {"terminated": died}}
    world.platform._set = lambda *_: None  # type: ignore[method-assign]
    world.api.set_status(POD, NAMESPACE, f"{copy}-0", {**status, "containerStatuses": [container]})
    failed = CheckOutcome(status=CheckStatus.FAILED, message="row 1: the connection was closed")
    summary = CheckSummary(overall_status=CheckStatus.FAILED, checks={CheckName.ERROR_CHECK: failed})
    ended = {
        "exitCode": 0,
        "startedAt": "2026-01-01T12:01:10Z",
        "finishedAt": at,
        "message": summary.to_termination().decode(),
    }
    said = {"name": "check", "ready": False, "restartCount": 0, "image": "i", "imageID": "i"}
    runner = {"phase": "Succeeded", "containerStatuses": [{**said, "state": {"terminated": ended}}]}
    world.api.set_status(POD, NAMESPACE, f"{job}-0", runner)
    await world.settle()
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        f'errorCheck: row 1: the connection was closed: pod {copy}-0, container "model" was killed for using more '
        "than its memory limit of 256Mi (1 restart). The limit is the one of this test (spec.maximumMemory); the "
        "version's own is 1Gi. Next: test with more, or make the model smaller in a new version."
    )


async def test_a_copy_that_somebody_deletes_before_the_run_comes_back() -> None:
    world = await _starting()
    world.user.delete(DEPLOYMENT, _status(world)["workload"])
    await world.settle()
    assert _copy(world)["spec"]["replicas"] == 1


async def test_a_wall_that_somebody_takes_down_during_the_run_comes_back() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(make_test(CHECK))
    await world.settle()
    world.user.delete(NETWORK_POLICY, _status(world)["workload"])
    await world.settle()
    assert _status(world)["workload"] in names(world, NETWORK_POLICY)


@pytest.mark.parametrize("kind", [CUSTOM_MODEL_VERSION, CONTROLLER_REVISION], ids=lambda kind: kind.name)
async def test_a_test_whose_version_goes_before_the_run_ends_and_says_why(kind: Any) -> None:
    world = await _starting()
    name = "hello-1" if kind is CUSTOM_MODEL_VERSION else workload(world, "hello-1")
    world.user.delete(kind, name)
    await reconcile(
        world.cluster, world.settings, NAMESPACE, CHECK, world.now
    )  # before the record is made again
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Aborted")
    assert world.message(MODEL_TEST, CHECK, "Succeeded").startswith("the test could not start: ")
    assert _left(world) == []
    assert "testing" not in world.get(MODEL_LEDGER, "hello")["spec"]


async def test_a_runner_that_was_evicted_runs_once_more_on_the_same_copy() -> None:
    world = await serving_v1()
    world.platform.evictions = 1
    copies: list[str] = []
    world.api.after_write = lambda write: (
        copies.append(write.name) if str(write).startswith("create Dep") else None
    )
    world.user.apply(make_test(CHECK))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert _status(world)["attempts"] == 2
    assert copies == [_status(world)["workload"]]
