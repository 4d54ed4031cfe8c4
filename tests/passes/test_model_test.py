"""Passes over a test: it waits, runs once, and says how it ended."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    SERVICE,
)
from modelyard.kube.errors import Forbidden, Invalid, Unavailable
from modelyard.reconcilers.model_test.reconcile import reconcile
from modelyard.status.outcomes import Outcome, Settled, Waiting
from tests.support.moments import CHECK, conditions, names, refusing, serving_v1, serving_v2, workload
from tests.support.objects import NAMESPACE, make_test
from tests.support.platform import failed
from tests.support.world import World

Manifest = dict[str, Any]

BAD = "row 2: prediction is NaN; every prediction must be a finite number"


async def _outcome(world: World) -> Outcome:
    """How one more pass over the test ends."""
    return await reconcile(world.cluster, world.settings, NAMESPACE, CHECK, world.now)


def _status(world: World) -> Manifest:
    status = world.get(MODEL_TEST, CHECK)["status"]
    return {name: value for name, value in status.items() if name != "conditions"}


def _jobs(world: World) -> list[str]:
    return [name for name in names(world, JOB) if name.startswith(CHECK)]


def _copy(world: World) -> str:
    """Name of the Deployment that the check runs on."""
    return str(world.get(MODEL_TEST, CHECK)["status"]["workload"])


def _runner(world: World) -> str:
    """The pod of the check's Job."""
    (job,) = _jobs(world)
    (pod,) = [name for name in names(world, POD) if name.startswith(job)]
    return pod


def _without_pods(world: World) -> Manifest:
    """The check's Job that has no pod yet."""
    owners = {pod["metadata"]["labels"]["modelyard.dev/workload"] for pod in world.all(POD)}
    return next(world.get(JOB, name) for name in _jobs(world) if name not in owners)


async def _running() -> World:
    """A test by hand whose Job runs on and on, and has a pod."""
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(make_test())
    await world.settle()
    world.platform._pod(world.get(JOB, _jobs(world)[0]), 0)
    await world.settle()
    return world


def _ends(world: World, **status: Any) -> None:
    """The runner's pod gets this status."""
    world.api.set_status(POD, NAMESPACE, _runner(world), {"phase": "Failed", **status})


def _terminated(**state: Any) -> list[Manifest]:
    return [{"name": "check", "state": {"terminated": {"exitCode": 0, **state}}}]


# --- the first pass ------------------------------------------------------------------------------------------


async def test_every_condition_is_there_from_the_first_pass() -> None:
    world = World()
    world.user.apply(make_test())
    await world.settle()
    message = (
        'CustomModelVersion "hello-1" of spec.versionRef does not exist in namespace "team-a"; create it'
    )
    status = world.get(MODEL_TEST, CHECK)["status"]
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "Unknown", "VersionNotFound", message),
        ("Reconciling", "True", "VersionNotFound", message),
        ("Stalled", "False", "AsDesired", ""),
        ("Succeeded", "Unknown", "VersionNotFound", message),
        ("ReportStored", "Unknown", "VersionNotFound", ""),
    ]
    assert _status(world) == {"observedGeneration": 1, "overallStatus": "queued"}


async def test_row_ended_is_true_whatever_the_verdict() -> None:
    world = await serving_v1()
    world.user.apply(make_test())
    await world.settle()
    assert conditions(world, MODEL_TEST, CHECK) == {
        "Ready": ("True", "Completed"),
        "Reconciling": ("False", "AsDesired"),
        "Stalled": ("False", "AsDesired"),
        "Succeeded": ("True", "Passed"),
        "ReportStored": ("True", "Stored"),
    }
    (job,) = _jobs(world)
    status = _status(world)
    assert status.pop("report").keys() == {"configMap", "length", "sha256"}
    assert status == {
        "observedGeneration": 1,
        "overallStatus": "succeeded",
        "testingStatus": {
            "longRunningService": {"status": "succeeded", "message": "all up"},
            "errorCheck": {"status": "succeeded", "message": "2 rows"},
        },
        "counts": {"rows": 2, "requests": 3},
        "columns": [{"name": "x", "datatype": "INT64"}],
        "startedAt": "2026-01-01T12:01:00Z",
        "completedAt": "2026-01-01T12:01:00Z",
        "job": job,
        "attempts": 1,
        "workload": _copy(world),
    }


async def test_row_failed_is_true_too_and_did_not_succeed() -> None:
    world = await serving_v1()
    world.platform.failing["hello-1"] = BAD
    world.user.apply(make_test())
    await world.settle()
    found = conditions(world, MODEL_TEST, CHECK)
    assert (found["Ready"], found["Succeeded"]) == (("True", "Completed"), ("False", "TestFailed"))
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == f"errorCheck: {BAD}"


async def test_row_running_is_unknown() -> None:
    world = await _running()
    (job,) = _jobs(world)
    found = conditions(world, MODEL_TEST, CHECK)
    assert (found["Ready"], found["Succeeded"]) == (("Unknown", "Running"), ("Unknown", "Running"))
    assert world.message(MODEL_TEST, CHECK) == f'Job "{job}" runs'
    assert _status(world)["overallStatus"] == "in_progress"


# --- what it asks --------------------------------------------------------------------------------------------


async def test_the_plan_names_every_replica_the_service_and_the_data() -> None:
    world = await _running()
    (files,) = [m for m in world.all(CONFIG_MAP) if m["metadata"]["name"].startswith(CHECK)]
    (pod,) = [m for m in world.all(POD) if m["metadata"]["name"].startswith(_copy(world))]
    address = world.get(SERVICE, _copy(world))["spec"]["clusterIP"]
    assert json.loads(files["data"]["plan.json"]) == {
        "test": f"{NAMESPACE}/{CHECK}",
        "model": "hello",
        "version": "1.0",
        "urlPrefix": "/models/team-a/hello",
        "service": f"{address}:80",
        "replicas": [
            {
                "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
                "address": f"{pod['status']['podIP']}:8080",
            }
        ],
        "targetType": "Regression",
        "targetName": "y",
        "positiveClassLabel": None,
        "negativeClassLabel": None,
        "classLabels": [],
        "configuration": {
            "longRunningService": "fail",
            "errorCheck": "fail",
            "nullValueImputation": "warn",
            "sideEffects": "warn",
            "tolerance": {"absolute": 1e-06, "relative": 1e-06},
            "sampleRows": 100,
        },
        "dataset": "rows.json",
        "datasetFormat": "json",
        "dataCanChange": False,
        "timeoutSeconds": 600,
    }
    assert files["data"]["rows.json"] == '{"x": [1, 2]}'


@pytest.mark.memory_only("the API server of the tests gives addresses of version four only")
async def test_addresses_of_version_six_are_put_in_brackets() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.platform.behaviour[CHECK] = "starting"
    world.user.apply(make_test())
    await world.settle()
    copy = _copy(world)
    world.user.edit(SERVICE, copy, spec={"clusterIP": "fd00::7"})
    status = world.get(POD, f"{copy}-0")["status"]
    ready = [{"type": "Ready", "status": "True"}]
    world.platform._set = lambda *_: None  # type: ignore[method-assign]
    world.api.set_status(POD, NAMESPACE, f"{copy}-0", {**status, "podIP": "fd00::8", "conditions": ready})
    await world.settle()
    (files,) = [m for m in world.all(CONFIG_MAP) if m["metadata"]["name"].startswith(CHECK)]
    plan = json.loads(files["data"]["plan.json"])
    assert (plan["service"], plan["replicas"][0]["address"]) == ("[fd00::7]:80", "[fd00::8]:8080")


async def test_a_test_waits_until_every_replica_of_its_copy_is_ready() -> None:
    world = await serving_v1()
    world.platform.behaviour[CHECK] = "starting"
    world.user.apply(make_test(replicas=2))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "Starting")
    assert world.message(MODEL_TEST, CHECK) == f'"{_copy(world)}": 0 of 2 replicas ready to be tested'
    assert _jobs(world) == []
    world.platform.behaviour.clear()
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


async def test_a_test_of_a_version_that_serves_no_more_runs_on_its_copy() -> None:
    world = await serving_v2()
    world.user.apply(make_test())
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert world.get(DEPLOYMENT, workload(world, "hello-1"))["spec"]["replicas"] == 0


# --- data ----------------------------------------------------------------------------------------------------


def _rows(**data: str) -> Manifest:
    metadata = {"name": "rows", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _asks_for(key: str | None = None) -> Manifest:
    ref = {"name": "rows", **({"key": key} if key else {})}
    return make_test(dataset={"configMap": ref, "format": "json"})


async def test_missing_data_is_waited_for() -> None:
    world = await serving_v1()
    world.user.apply(_asks_for())
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "ConfigMapNotFound")
    assert world.message(MODEL_TEST, CHECK) == (
        'ConfigMap "rows" of spec.dataset does not exist in namespace "team-a"; create it'
    )
    world.user.apply(_rows(data='{"x": [1]}'))
    await world.pass_time(31, step=31)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


UNUSABLE = [
    (
        _asks_for(),
        {"a": "1", "b": "2"},
        'ConfigMap "rows" of spec.dataset has the keys a, b, and configMap.key names none. Next: leave one of them '
        "in it, or name one where the test is declared",
    ),
    (
        _asks_for("c"),
        {"a": "1", "b": "2"},
        'ConfigMap "rows" of spec.dataset has no key "c" (it has: a, b). Next: add it, or name another where the '
        "test is declared",
    ),
    (
        _asks_for("c"),
        {},
        'ConfigMap "rows" of spec.dataset has no key "c" (it has: none). Next: add it, or name another where the '
        "test is declared",
    ),
    (
        _asks_for(),
        {"a": "ä" * 500_000},
        'ConfigMap "rows" of spec.dataset holds 1000000 bytes under the key "a"; a test takes at most 921600. '
        "Next: put fewer rows into it",
    ),
]


@pytest.mark.parametrize(("test", "data", "message"), UNUSABLE)
async def test_data_that_cannot_be_used_is_waited_for_until_it_is_mended(
    test: Manifest, data: dict[str, str], message: str
) -> None:
    world = await serving_v1()
    world.user.apply(_rows(**data), test)
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "InvalidDataset")
    assert world.message(MODEL_TEST, CHECK) == message
    assert _status(world)["overallStatus"] == "queued"
    assert _jobs(world) == []
    world.user.delete(CONFIG_MAP, "rows")
    world.user.apply(_rows(c='{"x": [1]}'))
    await world.pass_time(31, step=31)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


async def test_a_file_that_is_no_text_is_told_from_a_key_that_is_not_there() -> None:
    world = await serving_v1()
    binary = {**_rows(), "binaryData": {"c": "//4="}}
    world.user.apply(binary, _asks_for("c"))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "InvalidDataset")
    assert world.message(MODEL_TEST, CHECK) == (
        'ConfigMap "rows" of spec.dataset holds no text under the key "c". Next: write the file as UTF-8'
    )


@pytest.mark.parametrize("data", [None, {"a": "1", "b": "2"}], ids=["missing", "unusable"])
async def test_a_test_by_hand_does_not_wait_for_its_data_for_ever(data: dict[str, str] | None) -> None:
    world = await serving_v1()
    if data:
        world.user.apply(_rows(**data))
    world.user.apply(_asks_for("c"))
    await world.settle()
    why = world.message(MODEL_TEST, CHECK)
    await world.pass_time(570, step=30)
    assert _status(world)["overallStatus"] == "queued"
    await world.pass_time(60, step=30)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Aborted")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        f"the test could not start within its 600 s (spec.timeoutSeconds): {why}"
    )
    words = {check["status"] for check in _status(world)["testingStatus"].values()}
    assert (_status(world)["overallStatus"], words) == ("aborted", {"aborted"})
    assert all(check["message"] for check in _status(world)["testingStatus"].values())


# --- data that only the runner finds to be unusable ------------------------------------------------------------

UNREADABLE = "data set rows.json: has no columns"


def _no_data(word: str) -> list[Manifest]:
    """The end of a runner that could not read its data."""
    checks = {
        "longRunningService": {"status": "aborted", "message": "Not run"},
        "errorCheck": {"status": word, "message": UNREADABLE.capitalize()},
    }
    said = {"v": 1, "overallStatus": word, "checks": checks, "error": UNREADABLE, "unusableData": True}
    return _terminated(exitCode=2, message=json.dumps(said))


async def test_data_that_the_runner_cannot_read_says_nothing_about_the_model() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(_rows(a="{}"), _asks_for())
    await world.settle()
    world.platform._pod(world.get(JOB, _jobs(world)[0]), 0)
    _ends(world, containerStatuses=_no_data("aborted"))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "InvalidDataset")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        f'{UNREADABLE}. Next: mend ConfigMap "rows", then create a new ModelTest'
    )
    words = {check["status"] for check in _status(world)["testingStatus"].values()}
    assert (_status(world)["overallStatus"], words) == ("aborted", {"aborted"})
    assert _status(world)["attempts"] == len(_jobs(world)) == 1
    await world.pass_time(60, step=30)
    assert await _outcome(world) == Settled(), "it ran once, whatever becomes of its data"


async def test_data_that_is_written_in_a_test_and_cannot_be_read_fails_it_with_the_next_step() -> None:
    world = await _running()
    _ends(world, containerStatuses=_no_data("failed"))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "InvalidDataset")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        f"errorCheck: {UNREADABLE.capitalize()}. Next: create a new ModelTest with data that can be used"
    )
    assert _status(world)["overallStatus"] == "failed"


async def test_a_runner_that_is_killed_for_its_data_says_nothing_about_the_model() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(_rows(a='{"x": [1]}'), _asks_for())
    await world.settle()
    world.platform._pod(world.get(JOB, _jobs(world)[0]), 0)
    _ends(world, containerStatuses=_terminated(exitCode=137, reason="OOMKilled"))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "InvalidDataset")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        "the test's own pod was killed for using more than 512Mi of memory; use a smaller data set. "
        'Next: mend ConfigMap "rows", then create a new ModelTest'
    )


async def test_no_data_is_read_for_a_check_that_is_skipped() -> None:
    world = await serving_v1()
    skipping = {"errorCheck": "skip", "nullValueImputation": "skip", "sideEffects": "skip"}
    world.user.apply(
        make_test(configuration=skipping, dataset={"configMap": {"name": "rows"}, "format": "json"})
    )
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


# --- how it ends ---------------------------------------------------------------------------------------------

SUMMARY = json.dumps(
    {
        "v": 1,
        "overallStatus": "failed",
        "checks": {"longRunningService": {"status": "failed", "message": "pod x stopped answering"}},
    }
)
STOPPED = json.dumps(
    {
        "v": 1,
        "overallStatus": "aborted",
        "checks": {
            "longRunningService": {"status": "aborted", "message": "Not finished: stopped by SIGTERM"}
        },
        "error": "stopped by SIGTERM after 5 s",
    }
)
"""What a runner still says when it is told to end."""

EVICTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"containerStatuses": _terminated(message=SUMMARY)}, "pod x stopped answering"),
        (
            {"containerStatuses": _terminated(exitCode=137, reason="OOMKilled")},
            "the test's own pod was killed for using more than 512Mi of memory; use a smaller data set",
        ),
        (
            {
                "reason": "DeadlineExceeded",
                "containerStatuses": _terminated(exitCode=137, reason="Error"),
            },
            "the test did not end within its 600 s (spec.timeoutSeconds)",
        ),
        ({"reason": "DeadlineExceeded"}, "the test did not end within its 600 s (spec.timeoutSeconds)"),
    ],
    ids=["a summary", "out of memory", "too late", "too late and without a word"],
)
async def test_what_ends_a_test_is_told(status: Manifest, message: str) -> None:
    world = await _running()
    _ends(world, **status)
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "TestFailed")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == f"longRunningService: {message}"
    assert len(_jobs(world)) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            {"reason": "Evicted", "message": "The node was low on resource: memory."},
            "the pod of the test ended before it could report (Evicted: The node was low on resource: memory.)",
        ),
        (
            {
                "reason": "Evicted",
                "message": "Low on memory.",
                "containerStatuses": _terminated(exitCode=137),
            },
            "the test's own pod was evicted: Low on memory.",
        ),
        (
            {
                "conditions": [EVICTED],
                "containerStatuses": _terminated(exitCode=143, message=STOPPED),
            },
            "the cluster took the test's own pod away (EvictionByEvictionAPI: Eviction API: evicting)",
        ),
        (
            {"conditions": [EVICTED]},
            "the cluster took the test's own pod away (EvictionByEvictionAPI: Eviction API: evicting)",
        ),
        (
            {"conditions": [EVICTED], "containerStatuses": _terminated(exitCode=137)},
            "the cluster took the test's own pod away (EvictionByEvictionAPI: Eviction API: evicting)",
        ),
        (
            {"containerStatuses": _terminated(exitCode=3, message="Traceback")},
            "the test's own pod ended with exit code 3: the termination message is not a check summary: "
            '"Traceback"',
        ),
    ],
    ids=[
        "evicted by its node",
        "evicted while it ran",
        "evicted by somebody",
        "evicted before it ran",
        "evicted and killed",
        "crashed",
    ],
)
async def test_a_run_that_says_nothing_about_the_model_is_repeated_once(
    status: Manifest, message: str
) -> None:
    world = await _running()
    first = _jobs(world)
    _ends(world, **status)
    await world.settle()
    assert len(_jobs(world)) == 2
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "Running")
    (second,) = set(_jobs(world)) - set(first)
    assert (_status(world)["job"], _status(world)["attempts"]) == (second, 2)
    assert world.message(MODEL_TEST, CHECK) == f'Job "{second}" runs once more because {message}'
    world.platform._pod(world.get(JOB, second), 0)
    pod = next(m["metadata"]["name"] for m in world.all(POD) if m["metadata"]["name"].startswith(second))
    world.api.set_status(POD, NAMESPACE, pod, {"phase": "Failed", **status})
    await world.settle()
    assert len(_jobs(world)) == 2
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Aborted")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == message
    assert (_status(world)["overallStatus"], _status(world)["attempts"]) == ("aborted", 2)


async def test_why_a_test_runs_once_more_is_said_for_as_long_as_it_runs() -> None:
    """An evicted pod is gone a moment after it has ended, and with it what told why."""
    world = await _running()
    first, pod = _jobs(world), _runner(world)
    _ends(world, conditions=[EVICTED], containerStatuses=_terminated(exitCode=143, message=STOPPED))
    await world.settle()
    world.platform._pod(_without_pods(world), 0)
    await world.settle()
    said = world.message(MODEL_TEST, CHECK)
    assert "runs once more because the cluster took the test's own pod away" in said
    world.user.delete(POD, pod)
    await world.settle()
    assert world.message(MODEL_TEST, CHECK) == said
    world.api.set_status(JOB, NAMESPACE, first[0], failed(world.now))
    world.start_operator()
    await world.pass_time(60, step=30)
    assert world.message(MODEL_TEST, CHECK) == said


async def test_a_failure_that_an_evicted_runner_has_found_counts() -> None:
    world = await _running()
    _ends(world, conditions=[EVICTED], containerStatuses=_terminated(exitCode=143, message=SUMMARY))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "TestFailed")
    assert len(_jobs(world)) == 1


async def test_a_job_of_which_nothing_is_heard_is_given_up() -> None:
    """A Job on a dead node never says Failed: our own clock does."""
    world = await _running()
    await world.pass_time(600 + 60 + 29, step=689)
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "Running")
    assert len(_jobs(world)) == 1
    await world.pass_time(31, step=31)
    assert len(_jobs(world)) == 2
    world.platform._pod(_without_pods(world), 0)
    await world.pass_time(750, step=30)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Aborted")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        "the test did not end within its 600 s (spec.timeoutSeconds), and its pod never reported; "
        "its node may be gone"
    )


async def test_a_pod_that_was_deleted_before_it_could_report_is_noticed() -> None:
    world = await _running()
    world.user.delete(POD, _runner(world))
    world.api.set_status(JOB, NAMESPACE, _jobs(world)[0], failed(world.now))
    await world.pass_time(31, step=31)
    assert len(_jobs(world)) == 2


async def test_a_job_without_a_pod_says_what_may_keep_it() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(make_test())
    await world.settle()
    await world.pass_time(31, step=31)
    (job,) = _jobs(world)
    assert world.message(MODEL_TEST, CHECK) == (
        f'Job "{job}" has no pod yet. Next: check quotas, limit ranges and admission policies of the namespace'
    )


async def test_a_runner_whose_image_cannot_be_pulled_points_at_the_operators_settings() -> None:
    world = await _running()
    waiting = {"reason": "ImagePullBackOff", "message": "manifest unknown"}
    status = [{"name": "check", "image": "modelyard:dev", "ready": False, "state": {"waiting": waiting}}]
    _ends(world, phase="Pending", containerStatuses=status)
    await world.settle()
    message = world.message(MODEL_TEST, CHECK)
    assert 'image "modelyard:dev" can\'t be pulled: manifest unknown.' in message
    assert message.endswith(
        "Next: check the image and the imagePullSecrets in the values of Modelyard's chart."
    )
    assert "ExecutionEnvironment" not in message


async def test_a_runner_that_reached_a_verdict_is_heard_before_its_pod_is_over() -> None:
    """The kubelet tells that a container ended some time before it gives the pod its last phase."""
    world = await _running()
    _ends(world, phase="Running", containerStatuses=_terminated(message=SUMMARY))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "TestFailed")
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == "longRunningService: pod x stopped answering"


async def test_a_runner_that_died_is_not_told_to_stay_in_the_foreground() -> None:
    """Why it died is known with its pod's last phase; until then the test says no more than before."""
    world = await _running()
    before = world.get(MODEL_TEST, CHECK)["status"]
    _ends(world, phase="Running", containerStatuses=_terminated(exitCode=137, reason="Error"))
    await world.settle()
    assert world.get(MODEL_TEST, CHECK)["status"] == before


async def test_a_test_began_when_it_was_said_to_have_begun() -> None:
    """The server's clock stamps the Job; a second's difference to ours is no news."""
    world = await _running()
    (job,) = (manifest for manifest in world.all(JOB) if manifest["metadata"]["name"].startswith(CHECK))
    metadata = world.api.peek(JOB, NAMESPACE, job["metadata"]["name"])["metadata"]
    metadata["creationTimestamp"] = "2026-01-01T12:01:01Z"
    before = len(world.api.writes)
    world.start_operator()
    await world.settle()
    assert world.writes(since=before) == []


async def test_the_death_of_the_model_during_a_test_is_told() -> None:
    world = await _running()
    deployment = _copy(world)
    pod = world.get(POD, f"{deployment}-0")
    died = {"exitCode": 139, "finishedAt": "2026-01-01T12:01:30Z", "message": "Segmentation fault"}
    container = {
        **pod["status"]["containerStatuses"][0],
        "restartCount": 1,
        "lastState": {"terminated": died},
    }
    world.platform._set = lambda *_: None  # type: ignore[method-assign]
    world.api.set_status(
        POD, NAMESPACE, f"{deployment}-0", {**pod["status"], "containerStatuses": [container]}
    )
    _ends(world, containerStatuses=_terminated(message=SUMMARY, startedAt="2026-01-01T12:01:10Z"))
    await world.settle()
    assert world.message(MODEL_TEST, CHECK, "Succeeded") == (
        f'longRunningService: pod x stopped answering: pod {deployment}-0, container "model" ended with exit code '
        '139 (1 restart); it said: "Segmentation fault". Next: a server must stay in the foreground; mend it in a '
        "new version."
    )


# --- once, and never again -------------------------------------------------------------------------------------


async def test_a_test_that_ended_is_never_written_again() -> None:
    world = await serving_v1()
    world.user.apply(make_test())
    await world.settle()
    before = world.get(MODEL_TEST, CHECK)
    world.user.delete(JOB, _jobs(world)[0])
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    assert await _outcome(world) == Settled()
    assert (world.get(MODEL_TEST, CHECK), _jobs(world)) == (before, [])


async def test_a_test_goes_on_when_its_version_is_deleted_meanwhile() -> None:
    world = await _running()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    _ends(world, phase="Succeeded", containerStatuses=_terminated(message=SUMMARY))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("True", "Completed")


async def test_a_test_without_its_model_waits() -> None:
    world = await serving_v1()
    world.api.collector_is_late = True
    world.user.delete(CUSTOM_MODEL, "hello")
    world.user.apply(make_test())
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "ModelNotFound")
    assert world.message(MODEL_TEST, CHECK) == (
        'CustomModel "hello" of version "hello-1" does not exist in namespace "team-a"; create it'
    )
    assert _jobs(world) == []


async def test_a_test_that_is_being_deleted_is_left_alone() -> None:
    world = await _running()
    world.user.delete_while_held(MODEL_TEST, CHECK)
    before = len(world.api.writes)
    assert await _outcome(world) == Settled()
    assert world.writes(since=before) == []


async def test_deleting_a_test_cancels_it() -> None:
    world = await _running()
    world.user.delete(MODEL_TEST, CHECK)
    await world.settle()
    for kind in (JOB, POD, CONFIG_MAP, NETWORK_POLICY):
        assert [name for name in names(world, kind) if name.startswith(CHECK)] == [], kind.name


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Forbidden("apply Job: no"), "Forbidden"), (Invalid("apply Job: wrong"), "InvalidSpec")],
)
async def test_a_refusal_of_the_server_becomes_a_condition(error: Exception, reason: str) -> None:
    world = await serving_v1()

    world.api.before_write = refusing(error, JOB)
    world.user.apply(make_test())
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", reason)
    assert world.message(MODEL_TEST, CHECK) == str(error)
    assert await _outcome(world) == Waiting(timedelta(seconds=30))
    world.api.before_write = None
    await world.pass_time(31, step=31)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")


async def test_a_test_ends_though_what_is_left_of_it_may_not_be_taken_away() -> None:
    world = await serving_v1()

    def refuse(method: str, path: str, kind: Any, name: str) -> None:
        if method == "DELETE":
            raise Forbidden(f"delete {kind.name}: no")

    world.api.before_write = refuse
    before = names(world, DEPLOYMENT)
    world.user.apply(make_test())
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("True", "Passed")
    assert len(names(world, DEPLOYMENT)) == len(before) + 1
    assert {str(error) for _, error in world.failures} == {"delete Deployment: no"}, "the log tells of it"
    world.api.before_write = None
    await world.pass_time(310, step=31)
    assert names(world, DEPLOYMENT) == before


async def test_a_canceled_test_whose_job_may_not_go_is_not_over() -> None:
    """Its runner still asks the pods: whoever comes next would be told of what it does to them."""
    world = await serving_v1()
    jobs = names(world, JOB)
    world.platform.holds_jobs = True
    world.user.apply(make_test())
    await world.settle()

    world.api.before_write = refusing(Forbidden("delete Job: no"), JOB, method="DELETE")
    world.user.apply(make_test(cancel=True))
    await world.settle()
    assert world.condition(MODEL_TEST, CHECK) == ("Unknown", "Forbidden")
    assert world.message(MODEL_TEST, CHECK) == "delete Job: no"
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Canceled")
    assert names(world, JOB) == jobs


async def test_walls_stand_as_long_as_what_may_not_be_deleted() -> None:
    """Pods may come of it again, as when a quota frees: then they have their walls."""
    world = await serving_v1()
    walls, pods = names(world, NETWORK_POLICY), names(world, POD)

    world.platform.behaviour[CHECK] = "starting"
    world.user.apply(make_test())
    await world.settle()
    world.api.before_write = refusing(Forbidden("delete Deployment: no"), DEPLOYMENT, method="DELETE")
    world.user.apply(make_test(cancel=True))
    for pod in set(names(world, POD)) - set(pods):
        world.user.delete(POD, pod)
    await world.work()
    assert world.condition(MODEL_TEST, CHECK, "Succeeded") == ("False", "Canceled")
    assert len(names(world, NETWORK_POLICY)) == len(walls) + 1


async def test_any_other_error_is_not_swallowed() -> None:
    world = await serving_v1()

    world.api.before_write = refusing(Unavailable("busy"), JOB)
    world.user.apply(make_test())
    await world.settle()
    assert {str(error) for _, error in world.failures} == {"busy"}


async def test_a_serving_version_is_not_disturbed_by_a_test() -> None:
    world = await serving_v1()
    before = world.get(DEPLOYMENT, workload(world, "hello-1"))
    world.platform.failing["hello-1"] = BAD
    world.user.apply(make_test())
    await world.settle()
    assert world.get(DEPLOYMENT, workload(world, "hello-1")) == before
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
