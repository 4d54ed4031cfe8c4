"""Why pods do not run: each thing that the kubelet and the scheduler say, in one sentence with the next step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.reasons import Reason
from modelyard.status.pods import LOG_EXCERPT, Problem, death, diagnose, had_its_time, is_ready

Manifest = dict[str, Any]

CREATED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
RUNNING = {"running": {"startedAt": "2026-01-01T12:00:05Z"}}
MEND = "Next: a server must stay in the foreground; mend it in a new version."
STARTUP_PROBE = {"periodSeconds": 2, "failureThreshold": 8}
LISTEN = "Next: it must listen on 0.0.0.0:$PORT under $URL_PREFIX; compare its log."


def _at(seconds: float) -> str:
    return (CREATED + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _container(state: Manifest, last: Manifest | None = None, *, restarts: int = 0, **more: Any) -> Manifest:
    found = {"name": "model", "ready": False, "restartCount": restarts, "image": "envs/python:1", **more}
    return {**found, "state": state, **({"lastState": {"terminated": last}} if last else {})}


def _pod(*containers: Manifest, name: str = "p", **status: Any) -> Manifest:
    resources = {"limits": {"memory": "1Gi"}}
    return {
        "metadata": {"name": name, "creationTimestamp": _at(0)},
        "spec": {"containers": [{"name": "model", "resources": resources, "startupProbe": STARTUP_PROBE}]},
        "status": {"phase": "Running", "containerStatuses": list(containers), **status},
    }


def _waiting(reason: str, message: str = "because") -> Manifest:
    return {"waiting": {"reason": reason, "message": message}}


def _scheduled(status: str, message: str = "") -> list[Manifest]:
    return [{"type": "PodScheduled", "status": status, "message": message}]


def _ended(code: int, **more: Any) -> Manifest:
    return {"exitCode": code, "reason": "Error", **more}


NO_ROOM = "0/2 nodes are available: 2 Insufficient memory."
NO_SPREAD = "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules."


@pytest.mark.parametrize(
    ("pod", "reason", "message", "own_fault"),
    [
        (
            _pod(conditions=_scheduled("False", NO_ROOM), phase="Pending"),
            Reason.UNSCHEDULABLE,
            f"pod p can't be scheduled: {NO_ROOM} "
            "Next: free resources, add nodes, or ask for less in a new version.",
            False,
        ),
        (
            _pod(conditions=_scheduled("False", NO_SPREAD), phase="Pending"),
            Reason.INSUFFICIENT_NODES,
            f"pod p can't be scheduled: {NO_SPREAD} "
            "Next: add nodes, or ask for fewer replicas or no requiresHa in a new version.",
            False,
        ),
        *(
            (
                _pod(_container(_waiting(word, "no\n such image")), phase="Pending"),
                Reason.IMAGE_PULL_FAILED,
                'pod p, container "model": image "envs/python:1" can\'t be pulled: no such image. '
                "Next: check the name, the registry and imagePullSecrets of the ExecutionEnvironment.",
                False,
            )
            for word in (
                "ImagePullBackOff",
                "ErrImagePull",
                "InvalidImageName",
                "ErrImageNeverPull",
                "ImageInspectError",
            )
        ),
        *(
            (
                _pod(_container(_waiting(word, 'secret "x" not found'))),
                Reason.CONTAINER_CONFIG_ERROR,
                'pod p, container "model" can\'t be created: secret "x" not found.',
                False,
            )
            for word in ("CreateContainerConfigError", "CreateContainerError")
        ),
        (
            _pod(
                _container(_waiting("CrashLoopBackOff"), _ended(1, message="Traceback\n  boom"), restarts=3)
            ),
            Reason.CRASHING,
            'pod p, container "model" ended with exit code 1 (3 restarts); it said: "Traceback boom". '
            + MEND,
            True,
        ),
        (
            _pod(_container({"terminated": _ended(0)})),
            Reason.CRASHING,
            'pod p, container "model" ended with exit code 0 (0 restarts) without a word on its log. ' + MEND,
            True,
        ),
        (
            _pod(_container(RUNNING, _ended(3), restarts=1)),
            Reason.CRASHING,
            'pod p, container "model" ended with exit code 3 (1 restart) without a word on its log. ' + MEND,
            True,
        ),
        (
            _pod(_container(_waiting("CrashLoopBackOff"), _ended(137, reason="OOMKilled"), restarts=2)),
            Reason.OUT_OF_MEMORY,
            'pod p, container "model" was killed for using more than its memory limit of 1Gi (2 restarts). '
            "Next: raise maximumMemory in a new version.",
            True,
        ),
        (
            _pod(_container(RUNNING, _ended(137, reason="OOMKilled"), restarts=2)),
            Reason.OUT_OF_MEMORY,
            'pod p, container "model" was killed for using more than its memory limit of 1Gi (2 restarts). '
            "Next: raise maximumMemory in a new version.",
            True,
        ),
        *(
            (
                _pod(_container(RUNNING, _ended(code), restarts=1)),
                Reason.NOT_ANSWERING,
                'pod p, container "model" runs but does not answer GET $URL_PREFIX/ with 200 (1 restart). '
                + LISTEN,
                True,
            )
            for code in (137, 143)
        ),
        (
            _pod(_container(RUNNING)),
            Reason.NOT_ANSWERING,
            'pod p, container "model" runs but does not answer GET $URL_PREFIX/ with 200 (0 restarts). '
            + LISTEN,
            True,
        ),
    ],
)
def test_each_problem_in_one_sentence(pod: Manifest, reason: Reason, message: str, own_fault: bool) -> None:
    found = diagnose([pod], None)
    assert found == Problem(reason, message)
    assert found.own_fault is own_fault


@pytest.mark.parametrize(
    "pod",
    [
        _pod(),
        _pod(phase="Pending", conditions=_scheduled("True")),
        _pod(_container(_waiting("ContainerCreating", ""))),
        _pod(_container(_waiting("PodInitializing", ""))),
        _pod(_container(RUNNING, ready=True)),
        _pod(_container(RUNNING, _ended(1), ready=True, restarts=4)),
    ],
    ids=["new", "scheduled", "being created", "initialising", "ready", "ready again"],
)
def test_what_is_on_its_way_is_no_problem(pod: Manifest) -> None:
    assert diagnose([pod], None) is None


CRASHING = _container(_waiting("CrashLoopBackOff"), _ended(1), restarts=3)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_was_evicted_or_shut_down_says_nothing_about_the_model(phase: str) -> None:
    evicted = _pod(_container({"terminated": _ended(137)}), phase=phase, reason="Evicted")
    assert diagnose([evicted], None) is None


def test_a_pod_on_its_way_out_says_nothing() -> None:
    going = _pod(CRASHING)
    going["metadata"]["deletionTimestamp"] = _at(9)
    assert diagnose([going], None) is None


@pytest.mark.parametrize("state", [RUNNING, _waiting("CrashLoopBackOff")], ids=["runs again", "waits"])
@pytest.mark.parametrize(
    ("lasted", "ready_at", "reason"),
    [
        (20, 0, Reason.NOT_ANSWERING),
        (14, 0, Reason.NOT_ANSWERING),
        (13, 0, Reason.CRASHING),
        (20, 25, Reason.CRASHING),
    ],
    ids=["the probe gave up", "at the earliest", "too soon for the probe", "it had been ready"],
)
def test_a_server_that_leaves_well_when_its_probe_gives_up_was_silent(
    lasted: int, ready_at: int, reason: Reason, state: Manifest
) -> None:
    """A good server that is told to end leaves with 0, as one does that ends by itself."""
    ended = _ended(0, reason="Completed", startedAt=_at(5), finishedAt=_at(5 + lasted))
    ready = [{"type": "Ready", "status": "False", "lastTransitionTime": _at(ready_at)}]
    found = diagnose([_pod(_container(state, ended, restarts=1), conditions=ready)], None)
    assert found is not None
    assert found.reason is reason


def test_the_models_own_fault_comes_before_what_it_waits_for() -> None:
    waits = _pod(conditions=_scheduled("False", NO_ROOM), name="a")
    found = diagnose([waits, _pod(CRASHING, name="b")], None)
    assert found is not None
    assert (found.reason, "pod b," in found.message) == (Reason.CRASHING, True)


def test_silence_is_told_last() -> None:
    found = diagnose([_pod(_container(RUNNING), name="a"), _pod(CRASHING, name="b")], None)
    assert found is not None
    assert found.reason is Reason.CRASHING


def test_an_init_container_is_heard_too() -> None:
    broken = {**_container(_waiting("CrashLoopBackOff"), _ended(2), restarts=1), "name": "mesh-init"}
    found = diagnose([_pod(initContainerStatuses=[broken])], None)
    assert found is not None
    assert found.message.startswith('pod p, container "mesh-init" ended with exit code 2')


def test_an_init_container_that_did_its_work_is_no_problem() -> None:
    done = {**_container({"terminated": _ended(0)}), "name": "mesh-init", "ready": True}
    assert diagnose([_pod(_container(RUNNING, ready=True), initContainerStatuses=[done])], None) is None


def _refused(status: str = "True") -> Manifest:
    message = 'pods "x" is forbidden: exceeded quota: small'
    return {"status": {"conditions": [{"type": "ReplicaFailure", "status": status, "message": message}]}}


def test_pods_that_cannot_be_created() -> None:
    assert diagnose([], _refused()) == Problem(
        Reason.POD_CREATION_REFUSED,
        'pods can\'t be created: pods "x" is forbidden: exceeded quota: small. '
        "Next: check quotas, limit ranges and admission policies of the namespace.",
    )
    assert diagnose([], _refused("False")) is None
    assert diagnose([], None) is None


def test_only_the_end_of_a_long_log_is_told() -> None:
    log = "x" * 5000 + " the end"
    found = diagnose([_pod(_container(_waiting("CrashLoopBackOff"), _ended(1, message=log)))], None)
    assert found is not None
    said = found.message.partition('it said: "')[2].partition('"')[0]
    assert said.endswith(" the end")
    assert len(said) <= LOG_EXCERPT


# --- readiness and time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "deleted", "ready"),
    [
        ([{"type": "Ready", "status": "True"}], False, True),
        ([{"type": "Ready", "status": "True"}], True, False),
        ([{"type": "Ready", "status": "False"}], False, False),
        ([{"type": "Initialized", "status": "True"}], False, False),
        ([], False, False),
    ],
)
def test_a_pod_is_ready_when_it_says_so_and_stays(
    conditions: list[Manifest], deleted: bool, ready: bool
) -> None:
    pod = _pod(conditions=conditions)
    if deleted:
        pod["metadata"]["deletionTimestamp"] = _at(0)
    assert is_ready(pod) is ready


def test_a_pod_without_a_status_is_not_ready() -> None:
    assert not is_ready({"metadata": {"name": "p"}})


STARTUP = timedelta(seconds=300)


@pytest.mark.parametrize(
    ("containers", "age", "had"),
    [
        ([], 9999, False),
        ([_container(_waiting("ImagePullBackOff"))], 9999, False),
        ([_container({"running": {"startedAt": _at(5)}})], 329, False),
        ([_container({"running": {"startedAt": _at(5)}})], 330, True),
        ([_container({"running": {"startedAt": _at(600)}})], 899, False),
        ([_container({"running": {"startedAt": _at(600)}})], 900, True),
        ([_container(_waiting("CrashLoopBackOff"), _ended(1, startedAt=_at(5)))], 100, False),
        ([_container(_waiting("CrashLoopBackOff"), _ended(1, startedAt=_at(5)))], 330, True),
        ([_container(_waiting("CrashLoopBackOff"), _ended(1, startedAt=_at(600)), restarts=2)], 700, False),
        ([_container(_waiting("CrashLoopBackOff"), _ended(1, startedAt=_at(600)), restarts=3)], 700, True),
        ([_container(_waiting("CrashLoopBackOff"), _ended(1, startedAt=_at(5)), restarts=9)], 329, False),
        ([_container({"terminated": _ended(1, startedAt=_at(400))})], 500, False),
        (
            [_container({"running": {"startedAt": _at(690)}}, _ended(137, startedAt=_at(380)), restarts=1)],
            700,
            True,
        ),
    ],
    ids=[
        "no container yet",
        "its image is pulled",
        "runs, not for long enough",
        "runs for long enough",
        "its image came late",
        "its image came late, and it had its time since",
        "crashed, and may come up",
        "crashes for long enough",
        "its image came late, and it crashed twice",
        "its image came late, and it crashed too often",
        "crashes often, and may come up",
        "ended once, late",
        "was ended for its silence",
    ],
)
def test_the_time_to_start_is_the_containers_own(containers: list[Manifest], age: float, had: bool) -> None:
    assert had_its_time(_pod(*containers), STARTUP, CREATED + timedelta(seconds=age)) is had


@pytest.mark.parametrize(
    ("state", "last", "died"),
    [
        (RUNNING, None, False),
        (RUNNING, _ended(139, finishedAt=_at(59)), False),
        (RUNNING, _ended(139, finishedAt=_at(60)), True),
        ({"terminated": _ended(139, finishedAt=_at(70))}, None, True),
    ],
)
def test_a_death_is_told_when_it_was_not_before(state: Manifest, last: Manifest | None, died: bool) -> None:
    found = death([_pod(_container(state, last))], CREATED + timedelta(seconds=60))
    assert (found is not None) is died
    assert found is None or "exit code 139" in found.message


# --- what says little ------------------------------------------------------------------------------------------

BARE: Manifest = {"metadata": {"name": "p", "creationTimestamp": _at(0)}}
"""A pod of which nothing is known but that it was made."""


def _bare(**status: Any) -> Manifest:
    """A pod without a spec whose one container says this alone."""
    return {**BARE, "status": {"containerStatuses": [{"name": "model", **status}]}}


@pytest.mark.parametrize(
    "pod", [BARE, {**BARE, "status": {}}, _bare(), _bare(state={}), _bare(state={"waiting": {}})]
)
def test_a_pod_that_says_nothing_has_no_problem(pod: Manifest) -> None:
    later = CREATED + timedelta(hours=1)

    assert diagnose([pod], None) is None
    assert diagnose([pod], {"metadata": {"name": "d"}}) is None
    assert death([pod], CREATED) is None
    assert not had_its_time(pod, timedelta(seconds=1), later)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "ImagePullBackOff",
            'pod p, container "model": image "" can\'t be pulled: ImagePullBackOff. '
            "Next: check the name, the registry and imagePullSecrets of the ExecutionEnvironment.",
        ),
        ("CreateContainerError", 'pod p, container "model" can\'t be created: CreateContainerError.'),
    ],
)
def test_a_reason_stands_in_for_a_message_that_is_not_there(reason: str, message: str) -> None:
    problem = diagnose([_bare(state={"waiting": {"reason": reason}})], None)

    assert problem is not None
    assert (problem.message, problem.own_fault) == (message, False)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"spec": {}},
        {"spec": {"containers": [{"name": "other", "resources": {"limits": {"memory": "9Gi"}}}]}},
        {"spec": {"containers": [{"name": "model"}]}},
        {"spec": {"containers": [{"name": "model", "resources": {}}]}},
        {"spec": {"containers": [{"name": "model", "resources": {"limits": {}}}]}},
    ],
)
def test_a_memory_limit_that_is_not_known_is_not_named(spec: Manifest) -> None:
    pod = {**_bare(state={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), **spec}

    problem = diagnose([pod], None)

    assert problem is not None
    assert problem.message == (
        'pod p, container "model" was killed for using more than its memory limit (0 restarts). '
        "Next: raise maximumMemory in a new version."
    )


def test_a_server_that_runs_and_says_nothing_more_is_silent() -> None:
    problem = diagnose([_bare(state=RUNNING)], None)

    assert problem is not None
    assert (
        problem.message
        == f'pod p, container "model" runs but does not answer GET $URL_PREFIX/ with 200 (0 restarts). {LISTEN}'
    )


def _left(code: int, seconds: float, probe: Manifest, **more: Any) -> Manifest:
    """A pod whose server ended after so long."""
    ended = {"exitCode": code, "startedAt": _at(0), "finishedAt": _at(seconds)}
    pod = _bare(state=_waiting("CrashLoopBackOff"), lastState={"terminated": ended}, **more)
    return {**pod, "spec": {"containers": [{"name": "model", "startupProbe": probe}]}}


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (_left(0, 20, {"httpGet": {}}), Reason.NOT_ANSWERING),
        (_left(0, 19, {"httpGet": {}}), Reason.CRASHING),
        (_left(1, 600, {"httpGet": {}}), Reason.CRASHING),
        (_left(0, 600, {}), Reason.CRASHING),
        (_left(0, 600, {"httpGet": {}}, ready=True), None),
    ],
    ids=[
        "as long as a probe by default",
        "shorter than that",
        "with an error",
        "without a probe",
        "ready by now",
    ],
)
def test_a_server_left_because_it_was_told_only_after_the_whole_patience_of_its_probe(
    pod: Manifest, reason: Reason | None
) -> None:
    problem = diagnose([pod], None)

    assert (problem.reason if problem else None) == reason


@pytest.mark.parametrize(("count", "had"), [(2, False), (3, True), (None, False)])
def test_three_restarts_are_time_enough(count: int | None, had: bool) -> None:
    pod = _bare(**({} if count is None else {"restartCount": count}))

    assert had_its_time(pod, timedelta(seconds=1), CREATED + timedelta(hours=1)) is had


def test_a_pod_on_its_way_out_dies_unheard_and_keeps_no_other_from_being_heard() -> None:
    died = _pod(_container({"terminated": _ended(1, finishedAt=_at(9))}))
    going = {**died, "metadata": {**died["metadata"], "deletionTimestamp": _at(8)}}

    assert death([going], CREATED) is None
    found = death([going, died], CREATED)
    assert found is not None
    assert found.reason == Reason.CRASHING


def test_a_server_that_was_ended_once_and_is_ready_now_is_no_problem() -> None:
    pod = _bare(state=RUNNING, lastState={"terminated": _ended(137)}, ready=True, restartCount=1)

    assert diagnose([pod], None) is None


@pytest.mark.parametrize(("restarts", "reason"), [(1, Reason.CRASHING), (0, None)])
def test_a_container_that_is_made_again_after_its_end_has_crashed(
    restarts: int, reason: Reason | None
) -> None:
    last = {"terminated": _ended(1)}
    problem = diagnose(
        [_bare(state=_waiting("PodInitializing"), lastState=last, restartCount=restarts)], None
    )

    assert (problem.reason if problem else None) == reason
