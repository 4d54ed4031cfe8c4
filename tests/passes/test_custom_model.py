"""Passes over a model: its ledger, its stable Service, what it says, and what it clears up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EVENT,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    SERVICE,
)
from modelyard.kube.errors import Conflict, Forbidden, Invalid
from modelyard.reconcilers.custom_model.reconcile import reconcile
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting
from tests.support.moments import conditions, key, names, refusing, serving_v1, serving_v2, workload
from tests.support.objects import (
    NAMESPACE,
    make_environment,
    make_gate,
    make_ledger,
    make_model,
    make_version,
)
from tests.support.world import START, World

V1 = make_version("hello-1", label="1.0")
V2 = make_version("hello-2", label="2.0")
BAD = "row 2: prediction is NaN; every prediction must be a finite number"


async def _outcome(world: World) -> Outcome:
    """How one more pass over the model ends."""
    return await reconcile(world.cluster, world.settings, NAMESPACE, "hello", world.now)


def _serving(world: World) -> str:
    return str(world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"])


def _selected(world: World) -> str:
    """The version key that the stable Service selects."""
    return str(world.get(SERVICE, "hello")["spec"]["selector"][labels.SERVES])


# --- the first pass --------------------------------------------------------------------------------------


async def test_every_condition_is_there_from_the_first_pass() -> None:
    world = World()
    world.user.apply(make_model())
    await world.settle()
    status = world.get(CUSTOM_MODEL, "hello")["status"]
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "True", "NoVersions", "waits for its first CustomModelVersion"),
        ("Reconciling", "False", "AsDesired", ""),
        ("Stalled", "False", "AsDesired", ""),
        ("Available", "False", "NotServing", "no version has passed its tests yet"),
    ]
    assert {k: v for k, v in status.items() if k != "conditions"} == {"observedGeneration": 1, "versions": 0}


async def test_a_model_has_its_address_before_it_has_a_version() -> None:
    """The Service stands from the start, and sends nowhere: clients get refused, not misled."""
    world = World()
    world.user.apply(make_model())
    await world.settle()
    assert _selected(world) == "none"
    assert "address" not in world.get(CUSTOM_MODEL, "hello")["status"]


async def test_a_model_that_serves_says_what_since_when_and_where() -> None:
    world = await serving_v1()
    status = world.get(CUSTOM_MODEL, "hello")["status"]
    digest = world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["image"].partition("@")[2]
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        "observedGeneration": 1,
        "versions": 1,
        "latestVersion": "hello-1",
        "serving": {
            "name": "hello-1",
            "label": "1.0",
            "key": key(world, "hello-1"),
            "since": "2026-01-01T12:00:00Z",
            "digest": digest,
        },
        "address": {"url": "http://hello.team-a.svc.cluster.local/models/team-a/hello"},
    }


# --- the Ready table of the design, row by row -----------------------------------------------------------


async def test_row_newest_serves_in_full_is_true() -> None:
    world = await serving_v2()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert found == {
        "Ready": ("True", "Serving"),
        "Reconciling": ("False", "AsDesired"),
        "Stalled": ("False", "AsDesired"),
        "Available": ("True", "Serving"),
    }
    assert world.message(CUSTOM_MODEL, "hello") == 'version "hello-2" (2.0) serves'


async def test_row_older_serves_newest_in_progress_is_unknown() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("Unknown", "Progressing"), ("True", "Serving"))
    assert (found["Reconciling"][0], found["Stalled"][0]) == ("True", "False")
    assert world.get(CUSTOM_MODEL, "hello")["status"]["candidate"] == {"name": "hello-2", "label": "2.0"}
    assert world.message(CUSTOM_MODEL, "hello") == (
        'version "hello-2" (2.0) is being started and tested; version "hello-1" (1.0) serves'
    )


async def test_row_older_serves_newest_in_vain_stays_unknown_and_names_the_cause() -> None:
    world = await serving_v1()
    world.user.apply(make_version("hello-2", label="2.0", environmentRef={"name": "r"}))
    await world.settle()
    await world.pass_time(40, step=20)
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("Unknown", "Progressing"), ("True", "Serving"))
    assert world.message(CUSTOM_MODEL, "hello") == (
        'version "hello-2" (2.0) waits: ExecutionEnvironment "r" does not exist in namespace "team-a"; create it; '
        'version "hello-1" (1.0) serves'
    )


async def test_row_older_serves_newest_refused_is_false_and_stalled() -> None:
    world = await serving_v1(gate=make_gate("accuracy"))
    world.platform.failing["hello-2"] = BAD
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "CandidateRejected"), ("True", "Serving"))
    assert (found["Reconciling"][0], found["Stalled"][0]) == ("False", "True")
    assert world.message(CUSTOM_MODEL, "hello") == (
        f'version "hello-2" (2.0) was refused: test "accuracy": errorCheck: {BAD}; version "hello-1" (1.0) serves'
    )
    assert await _outcome(world) == Stalled()


async def test_row_serving_with_too_few_is_degraded_and_available() -> None:
    world = await serving_v1(version=make_version("hello-1", label="1.0", replicas=2))
    pod = world.get(POD, names(world, POD)[0])
    unready = {**pod["status"], "conditions": [{"type": "Ready", "status": "False"}]}
    world.api.set_status(POD, NAMESPACE, pod["metadata"]["name"], unready)
    await world.work()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "Degraded"), ("True", "Serving"))
    assert world.message(CUSTOM_MODEL, "hello").startswith('version "hello-1": 1 of 2 replicas ready')


async def test_row_nothing_answers_is_false_with_the_cause() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-1"] = "crashes"
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "Crashing"), ("False", "Degraded"))
    assert "ended with exit code 1" in world.message(CUSTOM_MODEL, "hello")


async def test_row_nothing_serves_yet_is_unknown_then_false_with_the_cause() -> None:
    world = World()
    world.user.apply(make_model(), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("Unknown", "Progressing")
    await world.pass_time(40, step=20)
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "EnvironmentNotFound"), ("False", "NotServing"))


async def test_row_the_only_version_crashes_is_unknown_with_the_cause_at_once() -> None:
    world = World()
    world.platform.behaviour["hello-1"] = "crashes"
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("Unknown", "Crashing")
    said = world.message(CUSTOM_MODEL, "hello")
    assert said.startswith('version "hello-1" (1.0) is not up: 0 of 1 replicas ready; pod hello-1-')
    assert 'ended with exit code 1 (3 restarts); it said: "ImportError: no module named model"' in said


async def test_row_older_serves_newest_crashes_stays_unknown_and_names_the_cause() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-2"] = "crashes"
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("Unknown", "Progressing"), ("True", "Serving"))
    said = world.message(CUSTOM_MODEL, "hello")
    assert said.startswith('version "hello-2" (2.0) is not up: 0 of 1 replicas ready; pod hello-2-')
    assert said.endswith('mend it in a new version; version "hello-1" (1.0) serves')


async def test_row_nothing_serves_and_the_only_version_was_refused() -> None:
    world = World()
    world.platform.failing["hello-1"] = BAD
    world.user.apply(make_environment(), make_model(gate=make_gate("accuracy")), V1)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "CandidateRejected"), ("False", "NotServing"))
    assert world.message(CUSTOM_MODEL, "hello").endswith("; nothing serves")


async def test_row_no_version_and_the_deleted_one_serves_is_true() -> None:
    world = await serving_v1()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("True", "ServingVersionDeleted"), ("True", "Serving"))


async def test_a_deleted_version_that_serves_with_no_pod_ready_is_not_called_ready() -> None:
    world = await serving_v1()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    world.platform.behaviour["hello-1"] = "crashes"
    await world.settle()
    found = conditions(world, CUSTOM_MODEL, "hello")
    assert (found["Ready"], found["Available"]) == (("False", "Crashing"), ("False", "Degraded"))


async def test_a_rename_that_kept_the_label_is_not_called_serving() -> None:
    world = await serving_v1()
    world.user.apply(make_version("hello-2", label="1.0"))
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("False", "LabelTaken")
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "ServingVersionDeleted")
    assert _serving(world) == "hello-1"


async def test_pods_that_die_before_the_switch_is_seen_show_their_cause() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), V1)
    world.api.after_write = lambda write: (
        world.platform.behaviour.update({"hello-1": "crashes"})
        if write.kind == "Service" and write.name == "hello" and write.verb == "apply"
        else None
    )
    await world.settle()
    assert conditions(world, CUSTOM_MODEL, "hello")["Ready"] == ("False", "Crashing")
    assert world.get(MODEL_LEDGER, "hello")["spec"]["serving"].get("switchedAt") is None


# --- the ledger ----------------------------------------------------------------------------------------------


async def test_the_ledger_holds_the_facts_of_two_versions() -> None:
    world = await serving_v2(gate=make_gate("accuracy"))
    spec = world.get(MODEL_LEDGER, "hello")["spec"]
    first, second = key(world, "hello-1"), key(world, "hello-2")
    (passed,) = spec["versions"][1]["verdict"]["tests"]
    assert spec["modelName"] == "hello"
    assert spec["highestLabel"] == "2.0"
    assert [(f["key"], f["name"], f["label"]) for f in spec["versions"]] == [
        (first, "hello-1", "1.0"),
        (second, "hello-2", "2.0"),
    ]
    assert (passed["test"], passed["result"], passed["required"]) == ("accuracy", "Passed", True)
    assert spec["versions"][1]["verdict"]["templateHash"] == workload(world, "hello-2").rpartition("-")[2]
    assert spec["serving"] == {
        "key": second,
        "name": "hello-2",
        "label": "2.0",
        "since": "2026-01-01T12:01:00Z",
        "switchedAt": "2026-01-01T12:01:00Z",
        "previousKey": first,
    }
    assert [(p["label"], p["reason"], p.get("fromKey")) for p in spec["promotions"]] == [
        ("1.0", "TestsPassed", None),
        ("2.0", "TestsPassed", first),
    ]


async def test_a_promotion_is_written_before_it_is_done() -> None:
    world = await serving_v1()
    before = len(world.api.writes)
    world.user.apply(V2)
    await world.settle()
    written = [str(write) for write in world.writes(since=before)]
    switch = written.index("apply Service hello")
    assert written[switch - 1] == "replace ModelLedger hello"


async def test_a_ledger_that_somebody_changed_meanwhile_is_read_again() -> None:
    world = await serving_v1()
    world.watch_is_broken = True
    ledger = world.get(MODEL_LEDGER, "hello")
    world.user.edit(MODEL_LEDGER, "hello", metadata={**ledger["metadata"], "annotations": {"by": "hand"}})
    world.watch_is_broken = False
    world.user.apply(V2)
    await world.work()
    assert {type(error) for _, error in world.failures} == {Conflict}
    world.relist()
    await world.pass_time(10)
    assert _serving(world) == "hello-2"
    assert world.get(MODEL_LEDGER, "hello")["metadata"]["annotations"] == {"by": "hand"}


async def test_a_ledger_without_an_owner_is_adopted() -> None:
    world = World()
    world.user.apply(make_ledger("hello", highestLabel="7.3"), make_environment(), make_model())
    world.user.apply(make_version("hello-1", label=None))
    await world.settle()
    owner = world.get(CUSTOM_MODEL, "hello")["metadata"]["uid"]
    (reference,) = world.get(MODEL_LEDGER, "hello")["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["controller"]) == (owner, True)
    assert world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["label"] == "8.0"


# --- switching and draining ----------------------------------------------------------------------------------


async def test_the_old_version_stays_thirty_seconds_after_the_switch_was_seen() -> None:
    world = await serving_v1()
    old = workload(world, "hello-1")
    world.user.apply(V2)
    await world.settle()
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 1
    await world.pass_time(29, step=29)
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 1
    await world.pass_time(1, step=1)
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 0
    assert _selected(world) == key(world, "hello-2")


async def test_the_old_version_stays_for_as_long_as_the_switch_is_not_seen() -> None:
    world = await serving_v1()
    old = workload(world, "hello-1")
    endpoints = world.platform._endpoints
    world.platform._endpoints = lambda namespace, name: (  # type: ignore[method-assign]
        None if name == "hello" else endpoints(namespace, name)
    )
    world.user.apply(V2)
    await world.settle()
    await world.pass_time(300, step=60)
    assert _selected(world) == key(world, "hello-2")
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 1
    assert world.condition(CUSTOM_MODEL, "hello") == ("Unknown", "Promoting")
    world.platform._endpoints = endpoints  # type: ignore[method-assign]
    await world.settle()
    await world.pass_time(31, step=31)
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 0


async def test_what_the_service_still_sends_to_stays_when_a_switch_was_refused_and_the_next_one_comes() -> (
    None
):
    """The second version dies before its switch could be made; callers are with the first one all the while."""
    world = await serving_v1()
    old = workload(world, "hello-1")

    world.api.before_write = refusing(Forbidden("apply Service: no"), SERVICE, "hello")
    world.user.apply(V2)
    await world.settle()
    world.platform.behaviour["hello-2"] = "crashes"
    await world.pass_time(60, step=30)
    world.user.apply(make_version("hello-3", label="3.0"))
    await world.pass_time(120, step=30)
    assert world.get(MODEL_LEDGER, "hello")["spec"]["serving"]["name"] == "hello-3"
    assert _selected(world) == key(world, "hello-1")
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 1
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert _selected(world) == key(world, "hello-3")
    await world.pass_time(60, step=30)
    assert world.get(DEPLOYMENT, old)["spec"]["replicas"] == 0


async def test_a_candidate_takes_over_only_when_every_replica_is_an_endpoint() -> None:
    world = await serving_v1()
    endpoints = world.platform._endpoints
    world.platform._endpoints = lambda namespace, name: (  # type: ignore[method-assign]
        None if name.startswith("hello-2") else endpoints(namespace, name)
    )
    world.user.apply(V2)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("Unknown", "Promoting")
    assert _serving(world) == "hello-1"
    world.platform._endpoints = endpoints  # type: ignore[method-assign]
    await world.settle()
    assert _serving(world) == "hello-2"


async def test_a_draining_pass_wakes_itself_at_the_very_end_of_the_drain() -> None:
    world = await serving_v1()
    world.user.apply(V2)
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    world.now += timedelta(seconds=12)
    assert await _outcome(world) == Waiting(timedelta(seconds=18))


# --- what is gone is cleared up, and what serves is not -------------------------------------------------------


async def test_a_deleted_version_that_does_not_serve_leaves_nothing() -> None:
    world = await serving_v2()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    for kind in (DEPLOYMENT, SERVICE, NETWORK_POLICY, CONFIG_MAP, CONTROLLER_REVISION, MODEL_TEST, POD):
        assert [name for name in names(world, kind) if name.startswith("hello-1")] == [], kind.name


async def test_what_serves_keeps_running_without_its_object_and_without_its_record() -> None:
    world = await serving_v1()
    deployment = workload(world, "hello-1")
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    world.user.delete(CONTROLLER_REVISION, deployment)
    await world.settle()
    await world.pass_time(120, step=60)
    assert deployment in names(world, DEPLOYMENT)
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "TemplateLost")
    assert world.condition(CUSTOM_MODEL, "hello", "Available") == ("True", "Serving")
    assert world.message(CUSTOM_MODEL, "hello") == (
        'the record of what version "hello-1" runs is gone; its pods are left as they are. '
        "Next: apply the same content under a new name"
    )


async def test_walls_stand_until_the_last_pod_of_a_deleted_version_is_gone() -> None:
    world = await serving_v2()
    world.platform.behaviour["hello-3"] = "starting"
    world.user.apply(make_version("hello-3", label="3.0"))
    await world.settle()
    third = workload(world, "hello-3")
    world.api.collector_is_late = True
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-3")
    await world.settle()
    assert third not in names(world, DEPLOYMENT)
    assert f"{third}-0" in names(world, POD)
    assert third in names(world, NETWORK_POLICY), "a pod that ends must not get out meanwhile"
    world.api.collect()
    await world.settle()
    for kind in (NETWORK_POLICY, CONTROLLER_REVISION, POD):
        assert [name for name in names(world, kind) if name.startswith(third)] == [], kind.name


async def test_a_deleted_version_that_serves_is_mended_like_any_other() -> None:
    world = await serving_v1()
    deployment = workload(world, "hello-1")
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    world.user.edit(NETWORK_POLICY, deployment, spec={"egress": [{}]})
    world.user.edit(DEPLOYMENT, deployment, spec={"replicas": 3})
    world.user.delete(SERVICE, deployment)
    await world.settle()
    assert world.get(NETWORK_POLICY, deployment)["spec"].get("egress", []) == []
    assert world.get(DEPLOYMENT, deployment)["spec"]["replicas"] == 1
    assert deployment in names(world, SERVICE)


async def test_callers_of_the_model_reach_the_policy_of_what_serves() -> None:
    world = await serving_v1()
    caller = {"namespaceSelector": {"matchLabels": {"team": "b"}}}
    world.user.apply(make_model(callers=[caller]))
    await world.settle()
    policy = world.get(NETWORK_POLICY, workload(world, "hello-1"))
    assert policy["spec"]["ingress"][0]["from"][1:] == [caller]


async def test_a_lower_version_takes_over_when_the_object_of_what_serves_is_gone() -> None:
    world = await serving_v2()
    tests = names(world, MODEL_TEST)
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-2")
    await world.settle()
    assert _serving(world) == "hello-1"
    assert [name for name in tests if name.startswith("hello-1")] == [
        name for name in names(world, MODEL_TEST) if name.startswith("hello-1")
    ], "what it passed stays passed"


# --- deletion timestamps and refusals -------------------------------------------------------------------------


async def test_a_model_that_is_being_deleted_is_left_alone() -> None:
    world = await serving_v1()
    before = len(world.api.writes)
    world.user.delete_while_held(CUSTOM_MODEL, "hello")
    world.user.delete(SERVICE, "hello")
    assert await _outcome(world) == Settled()
    await world.settle()
    assert [str(write) for write in world.writes(since=before) if "/status" not in str(write)] == []


async def test_a_version_that_is_being_deleted_counts_as_gone() -> None:
    world = await serving_v1()
    world.user.delete_while_held(CUSTOM_MODEL_VERSION, "hello-1")
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "ServingVersionDeleted")
    assert world.get(CUSTOM_MODEL, "hello")["status"]["versions"] == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Forbidden("apply Service: no"), "Forbidden"), (Invalid("apply Service: wrong"), "InvalidSpec")],
)
async def test_a_refusal_of_the_server_becomes_a_condition(error: Exception, reason: str) -> None:
    world = World()

    world.api.before_write = refusing(error, SERVICE)
    world.user.apply(make_model())
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", reason)
    assert world.message(CUSTOM_MODEL, "hello") == str(error)
    assert isinstance(await _outcome(world), Waiting)
    assert world.failures == []


async def test_a_switch_that_was_refused_is_tried_again_by_itself() -> None:
    """The ledger says already who serves; an administrator mends what stood in the way, and no watch tells of it."""
    world = await serving_v1()

    world.api.before_write = refusing(Forbidden("apply Service: no"), SERVICE, "hello")
    world.user.apply(V2)
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "Forbidden")
    assert _selected(world) == key(world, "hello-1")
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert _selected(world) == key(world, "hello-2")
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")


async def test_nothing_goes_on_while_tests_that_ask_nothing_any_more_may_not_be_deleted() -> None:
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(gate=make_gate("accuracy")), V1)
    await world.settle()
    stale = names(world, MODEL_TEST)

    world.api.before_write = refusing(Forbidden("delete ModelTest: no"), MODEL_TEST, method="DELETE")
    world.user.apply(V2)
    await world.settle()
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "Forbidden")
    assert world.message(CUSTOM_MODEL, "hello") == "delete ModelTest: no"
    assert set(stale) <= set(names(world, MODEL_TEST))
    world.user.delete(SERVICE, "hello")
    await world.settle()
    assert "hello" in names(world, SERVICE), "what callers rely on is kept up"
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert not set(stale) & set(names(world, MODEL_TEST))
    assert world.failures == []


async def test_events_tell_of_promotions_and_refusals_once() -> None:
    world = await serving_v1(gate=make_gate("accuracy"))
    world.platform.failing["hello-2"] = BAD
    world.user.apply(V2)
    await world.settle()
    world.start_operator()
    await world.settle()
    assert sorted((event["type"], event["reason"], event["note"]) for event in world.all(EVENT)) == [
        ("Normal", "Promoted", 'version "hello-1" (1.0) serves'),
        ("Normal", "TestsPassed", 'version "hello-1" (1.0) passed its tests'),
        (
            "Warning",
            "TestsFailed",
            f'version "hello-2" (2.0) is refused: test "accuracy": errorCheck: {BAD}',
        ),
    ]


async def test_passes_over_a_candidate_that_starts_come_back_in_time() -> None:
    """No event tells that time is over; the pass looks again by itself."""
    world = World()
    world.platform.behaviour["hello-1"] = "silent"
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    assert await _outcome(world) == Waiting(timedelta(seconds=30))
    assert world.now == START


# --- a ledger that is lost -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
async def test_without_its_ledger_what_serves_goes_on_and_labels_stay(seed: int) -> None:
    world = World(seed=seed)
    world.user.apply(
        make_environment(), make_model(gate=make_gate("accuracy")), make_version("hello-1", label=None)
    )
    await world.settle()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    world.user.apply(make_version("hello-2", label=None))
    await world.pass_time(60, step=30)
    world.platform.failing["hello-3"] = BAD
    world.user.apply(make_version("hello-3", label=None))
    await world.pass_time(60, step=30)
    before = len(world.api.writes)
    world.user.delete(MODEL_LEDGER, "hello")
    await world.settle()
    await world.pass_time(60, step=30)
    touched = {f"{write.kind} {write.name}" for write in world.writes(since=before) if not write.subresource}
    assert "Service hello" not in touched
    assert f"Deployment {workload(world, 'hello-2')}" not in touched
    assert _serving(world) == "hello-2"
    spec = world.get(MODEL_LEDGER, "hello")["spec"]
    assert {fact["name"]: fact["label"] for fact in spec["versions"]} == {"hello-2": "2.0", "hello-3": "3.0"}
    assert spec["highestLabel"] == "3.0"
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("True", "Serving")
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-3") == ("False", "TestsFailed")


async def test_a_service_that_is_not_the_models_own_says_nothing_about_what_serves() -> None:
    world = World()
    metadata = {"name": "hello", "namespace": NAMESPACE}
    selector = {labels.SERVES: "0123456789"}
    spec = {"selector": selector, "ports": [{"port": 80}]}
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    world.user.apply(theirs, make_environment(), make_model())
    await world.settle()
    assert "serving" not in world.get(MODEL_LEDGER, "hello")["spec"]
