"""Passes over a test that ends: its report is kept, the verdict never waits for it, and in time the test goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckStatus
from modelyard.api.check_report import digest_of, outcome_line, parse_report
from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL_VERSION,
    JOB,
    MODEL_TEST,
    POD,
    Kind,
)
from modelyard.kube.errors import ApiError, Forbidden, Unavailable
from modelyard.manifests.test_report import unpacked_log, unpacked_report
from tests.support.moments import CHECK, checked, names, reports, serving_v1
from tests.support.objects import NAMESPACE, make_test, make_version
from tests.support.runner_log import with_log
from tests.support.world import World

Manifest = dict[str, Any]


class Logs:
    """Stands before the logs of a world: counts how often they are read, and refuses while there is trouble."""

    def __init__(self, world: World) -> None:
        self.reads = 0
        self.trouble: ApiError | None = None
        self._text = world.api.text
        world.api.text = self.text  # type: ignore[method-assign]

    async def text(self, path: str, *, params: Mapping[str, str], limit: int, seconds: float) -> str:
        self.reads += 1
        if self.trouble:
            raise self.trouble
        return await self._text(path, params=params, limit=limit, seconds=seconds)


def _stored(world: World, name: str = CHECK) -> tuple[str, str]:
    return world.condition(MODEL_TEST, name, "ReportStored")


def _why(world: World) -> str:
    return world.message(MODEL_TEST, CHECK, "ReportStored")


def _report(world: World) -> Manifest:
    """The ConfigMap that the status names."""
    return world.get(CONFIG_MAP, world.get(MODEL_TEST, CHECK)["status"]["report"]["configMap"])


async def _running() -> tuple[World, str]:
    """A test by hand whose Job runs on and on, and the name of its pod."""
    world = await serving_v1()
    world.platform.holds_jobs = True
    await checked(world)
    (job,) = [name for name in names(world, JOB) if name.startswith(CHECK)]
    world.platform._pod(world.get(JOB, job), 0)
    await world.settle()
    (pod,) = [name for name in names(world, POD) if name.startswith(job)]
    return world, pod


def _ends(world: World, pod: str, **terminated: Any) -> None:
    """The runner's container ended so."""
    status = {"name": "check", "state": {"terminated": {"exitCode": 0, **terminated}}}
    world.api.set_status(POD, NAMESPACE, pod, {"phase": "Succeeded", "containerStatuses": [status]})


# --- what is kept ----------------------------------------------------------------------------------------------


async def test_the_report_and_the_log_are_kept_and_the_status_says_where() -> None:
    world = await checked()

    status, kept = world.get(MODEL_TEST, CHECK)["status"], _report(world)
    content = unpacked_report(kept)
    assert _stored(world) == ("True", "Stored")
    assert status["report"] == {
        "configMap": kept["metadata"]["name"],
        **digest_of(content).model_dump(mode="json"),
    }
    assert parse_report(content).overall_status == "succeeded"
    log = unpacked_log(kept)
    assert log.startswith("     0.0 s  the checks begin\n")
    assert "modelyard-" not in log


async def test_it_says_how_to_read_it() -> None:
    world = await checked()

    assert _why(world).endswith(f"read it with: modelyard report {CHECK} --namespace {NAMESPACE}")


async def test_the_report_is_read_once_and_written_with_the_verdict() -> None:
    world = await serving_v1()
    logs, before = Logs(world), len(world.api.writes)
    await checked(world)

    assert logs.reads == 1
    writes = [str(write) for write in world.writes(since=before)]
    report = writes.index(f"create ConfigMap {_report(world)['metadata']['name']}")
    assert writes[report + 1] == f"apply ModelTest {CHECK}/status"
    assert writes.count(f"apply ModelTest {CHECK}/status") == 4  # waits for its turn, starts, runs, ended


async def test_a_report_goes_with_its_test() -> None:
    world = await checked()
    report = _report(world)["metadata"]["name"]
    world.user.delete(MODEL_TEST, CHECK)
    await world.settle()

    assert report not in reports(world)


async def test_once_settled_it_costs_nothing_for_ever() -> None:
    world = await checked()
    logs, before = Logs(world), len(world.api.writes)
    world.start_operator()
    await world.settle()
    await world.pass_time(7200, step=600)

    assert logs.reads == 0
    assert world.writes(since=before) == []


async def test_a_report_that_somebody_deletes_is_not_made_again() -> None:
    world = await checked()
    logs = Logs(world)
    world.user.delete(CONFIG_MAP, _report(world)["metadata"]["name"])
    await world.pass_time(600, step=60)

    assert [name for name in reports(world) if CHECK in name] == []
    assert logs.reads == 0
    assert _stored(world) == ("True", "Stored")


async def test_tests_of_the_gate_have_reports_too() -> None:
    world = await serving_v1()

    (test,) = names(world, MODEL_TEST)
    assert _stored(world, test) == ("True", "Stored")


# --- the verdict does not wait ---------------------------------------------------------------------------------


async def test_a_log_that_cannot_be_read_now_delays_no_verdict() -> None:
    world = await serving_v1()
    logs = Logs(world)
    logs.trouble = Unavailable("the node does not answer")
    await checked(world)

    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert world.get(MODEL_TEST, CHECK)["status"]["completedAt"] == "2026-01-01T12:01:00Z"
    assert _stored(world) == ("Unknown", "ReadingLog")
    assert logs.reads == 1

    logs.trouble = None
    before = len(world.api.writes)
    await world.pass_time(10, step=1)

    assert _stored(world) == ("True", "Stored")
    assert unpacked_report(_report(world))
    assert [write.verb for write in world.writes(since=before)] == [
        "create",
        "apply",
    ]  # the report, the status


async def test_nor_does_a_new_version_wait_for_it() -> None:
    world = await serving_v1()
    Logs(world).trouble = Unavailable("the node does not answer")
    world.user.apply(make_version("hello-2", label="2.0"))
    await world.settle()

    assert world.get(CUSTOM_MODEL_VERSION, "hello-2")["status"]["role"] == "Serving"


async def test_a_log_that_can_never_be_read_is_tried_for_a_minute_and_then_given_up() -> None:
    world = await serving_v1()
    logs = Logs(world)
    logs.trouble = Unavailable("the node does not answer")
    await checked(world)
    before = len(world.api.writes)
    await world.pass_time(3600, step=1)

    assert _stored(world) == ("False", "ReportIncomplete")
    assert _why(world) == "given up after 60 s: the node does not answer"
    assert logs.reads == 7  # with the verdict, and after 2, 4, 8, 16, 32 and 60 seconds
    assert [str(write) for write in world.writes(since=before)] == ["apply ModelTest hello-1-check/status"]
    assert "report" not in world.get(MODEL_TEST, CHECK)["status"]


async def test_an_operator_that_is_started_again_goes_on_trying() -> None:
    world = await serving_v1()
    logs = Logs(world)
    logs.trouble = Unavailable("the node does not answer")
    await checked(world)
    await world.pass_time(5, step=1)
    logs.trouble = None
    world.start_operator()
    await world.settle()

    assert _stored(world) == ("True", "Stored")


async def test_one_that_comes_back_much_later_gives_up_at_once_and_says_why() -> None:
    world = await serving_v1()
    Logs(world).trouble = Unavailable("the node does not answer")
    await checked(world)
    world.platform.holds_jobs = True
    world._schedule = type(world._schedule)()  # the operator is away
    await world.pass_time(3600, step=3600)
    world.start_operator()
    await world.settle()

    assert _why(world) == "given up after 60 s: the node does not answer"


async def test_a_report_that_may_not_be_written_delays_no_verdict() -> None:
    world = await serving_v1()

    def refuse(method: str, path: str, kind: Kind, name: str) -> None:
        if name.startswith("report-"):
            raise Forbidden("exceeded quota: configmaps")

    world.api.before_write = refuse
    await checked(world)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert _stored(world) == ("Unknown", "ReadingLog")

    world.api.before_write = None
    await world.pass_time(10, step=1)
    assert _stored(world) == ("True", "Stored")


async def test_a_configmap_of_that_name_that_is_not_ours_is_left_alone() -> None:
    world = await checked()
    name, uid = _report(world)["metadata"]["name"], world.get(MODEL_TEST, CHECK)["metadata"]["uid"]
    world.user.delete(CONFIG_MAP, name)
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}}
    world.user.apply({**foreign, "data": {"a": "b"}})
    status = {k: v for k, v in world.get(MODEL_TEST, CHECK)["status"].items() if k != "completedAt"}
    world.api.set_status(MODEL_TEST, NAMESPACE, CHECK, {**status, "conditions": []})  # and its word was wiped
    await world.pass_time(90, step=1)

    assert world.get(MODEL_TEST, CHECK)["metadata"]["uid"] == uid
    assert world.get(CONFIG_MAP, name)["data"] == {"a": "b"}
    assert _stored(world) == ("False", "ReportIncomplete")
    assert "exists and was not made by Modelyard" in _why(world)


# --- there is none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda log: log.partition("modelyard-report")[0], "the log of the test holds no report"),
        (lambda log: log[:-40] + "\n", "is cut off or damaged"),
        (lambda log: "", "the log of the test holds no report"),
    ],
    ids=["half", "cut at the end", "empty"],
)
async def test_a_log_that_does_not_hold_what_was_promised_is_incomplete_and_says_why(
    spoil: Any, says: str
) -> None:
    world, pod = await _running()
    world.platform.holds_jobs = False
    summary, log = with_log({"v": 1, "overallStatus": "succeeded", "checks": {}})
    world.api.logs[NAMESPACE, pod, "check"] = spoil(log)
    _ends(world, pod, message=json.dumps(summary))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("True", "Completed")
    await world.pass_time(90, step=1)

    assert _stored(world) == ("False", "ReportIncomplete")
    assert says in _why(world)


async def test_a_report_of_another_run_is_not_taken_for_this_one() -> None:
    world, pod = await _running()
    summary, _ = with_log({"v": 1, "overallStatus": "succeeded", "checks": {}})
    _, other = with_log({"v": 1, "overallStatus": "failed", "checks": {}})
    world.api.logs[NAMESPACE, pod, "check"] = other
    _ends(world, pod, message=json.dumps(summary))
    await world.pass_time(90, step=1)

    assert _stored(world) == ("False", "ReportIncomplete")
    assert "is not the one of" in _why(world)


async def test_a_pod_that_is_gone_is_not_waited_for() -> None:
    world = await serving_v1()
    logs = Logs(world)
    logs.trouble = Unavailable("the node does not answer")
    await checked(world)
    (pod,) = [name for name in names(world, POD) if name.startswith(CHECK)]
    world.watch_is_broken = True
    world.platform.holds_jobs = True
    world.user.delete(POD, pod)
    logs.trouble = None
    await world.pass_time(2, step=1)

    assert _stored(world) == ("False", "ReportIncomplete")
    assert _why(world) == f'pod "{pod}" is gone, and its log with it'


async def test_a_runner_that_was_killed_has_no_report_and_its_log_is_named() -> None:
    world, pod = await _running()
    logs = Logs(world)
    _ends(world, pod, exitCode=137, reason="OOMKilled")
    await world.settle()

    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "TestFailed")
    assert _stored(world) == ("False", "ReportIncomplete")
    assert f'kubectl logs "{pod}"' in _why(world)
    assert logs.reads == 0


async def test_a_test_that_ends_without_a_run_has_no_report() -> None:
    world = await serving_v1()
    world.user.apply(make_test(CHECK, dataset={"configMap": {"name": "rows", "key": "b"}, "format": "json"}))
    rows = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rows", "namespace": NAMESPACE}}
    world.user.apply({**rows, "data": {"a": "{}"}})
    await world.pass_time(630, step=30)

    assert world.condition(MODEL_TEST, CHECK) == ("True", "Completed")
    assert _stored(world) == ("False", "ReportIncomplete")
    assert _why(world) == "the test has no pod whose log could hold a report"


async def test_a_test_that_an_older_operator_ended_is_left_as_it_is() -> None:
    world = await checked()
    status = world.get(MODEL_TEST, CHECK)["status"]
    old = [condition for condition in status["conditions"] if condition["type"] != "ReportStored"]
    status = {name: value for name, value in status.items() if name != "report"}
    world.api.set_status(MODEL_TEST, NAMESPACE, CHECK, {**status, "conditions": old})
    logs, before = Logs(world), len(world.api.writes)
    world.start_operator()
    await world.pass_time(1200, step=600)

    assert (logs.reads, world.writes(since=before)) == (0, [])


# --- what a canceled test knows --------------------------------------------------------------------------------


async def test_a_canceled_test_tells_what_had_ended_before() -> None:
    world, pod = await _running()
    ended = CheckOutcome(status=CheckStatus.SUCCEEDED, message="2 of 2 replicas up for 10 s")
    world.api.logs[NAMESPACE, pod, "check"] = (
        f"begins\n{outcome_line(CheckName.LONG_RUNNING_SERVICE, ended)}\n"
    )
    world.user.edit(MODEL_TEST, CHECK, spec={"cancel": True})
    await world.settle()

    status = world.get(MODEL_TEST, CHECK)["status"]
    words = {name: check["status"] for name, check in status["testingStatus"].items()}
    assert status["overallStatus"] == "canceled"
    assert words == {
        "longRunningService": "succeeded",
        "errorCheck": "aborted",
        "nullValueImputation": "aborted",
        "sideEffects": "aborted",
    }
    assert status["testingStatus"]["longRunningService"]["message"] == "2 of 2 replicas up for 10 s"
    assert _stored(world) == ("False", "ReportIncomplete")


async def test_a_log_that_cannot_be_read_holds_up_no_cancel() -> None:
    world, _ = await _running()
    logs = Logs(world)
    logs.trouble = Unavailable("the node does not answer")
    world.user.edit(MODEL_TEST, CHECK, spec={"cancel": True})
    await world.settle()

    assert world.get(MODEL_TEST, CHECK)["status"]["overallStatus"] == "canceled"
    assert logs.reads == 1
