"""Passes over a version: what it runs, what it says, and what it never does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EXECUTION_ENVIRONMENT,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
)
from modelyard.kube.errors import Forbidden, Invalid, Unavailable
from modelyard.reconcilers.custom_model_version.reconcile import reconcile
from modelyard.status.outcomes import Outcome, Settled, Waiting
from tests.support.moments import conditions, key, names, refusing, serving_v1, serving_v2, workload
from tests.support.objects import (
    NAMESPACE,
    make_dataset,
    make_environment,
    make_gate,
    make_model,
    make_version,
)
from tests.support.world import World

Manifest = dict[str, Any]

V1 = make_version("hello-1", label="1.0")
V2 = make_version("hello-2", label="2.0")
BAD = "row 2: prediction is NaN; every prediction must be a finite number"
EVERY_CONDITION = [
    "Ready",
    "Reconciling",
    "Stalled",
    "Serving",
    "SourceReady",
    "EnvironmentReady",
    "WorkloadAvailable",
    "TestsPassed",
    "TemplateModified",
]


def _code(name: str = "code", **data: str) -> Manifest:
    """A ConfigMap of a user's."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _from_config_map(name: str = "hello-1", **overrides: Any) -> Manifest:
    return make_version(name, source={"configMap": {"name": "code"}}, **overrides)


def _of_version(world: World, kind: Any) -> list[str]:
    """Names of the children of versions of this kind."""
    found = world.all(kind)
    return [m["metadata"]["name"] for m in found if labels.OF_VERSION in m["metadata"].get("labels", {})]


async def _outcome(world: World, name: str) -> Outcome:
    """How one more pass over a version ends."""
    return await reconcile(world.cluster, world.settings, NAMESPACE, name, world.now)


# --- the first pass --------------------------------------------------------------------------------------


async def test_every_condition_is_there_from_the_first_pass() -> None:
    world = World()
    world.user.apply(V1)
    await world.settle()
    status = world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]
    assert [condition["type"] for condition in status["conditions"]] == EVERY_CONDITION
    assert conditions(world, CUSTOM_MODEL_VERSION, "hello-1") == {
        "Ready": ("Unknown", "ModelNotFound"),
        "Reconciling": ("True", "ModelNotFound"),
        "Stalled": ("False", "AsDesired"),
        "Serving": ("False", "NotServing"),
        "SourceReady": ("Unknown", "NotStarted"),
        "EnvironmentReady": ("Unknown", "EnvironmentNotFound"),
        "WorkloadAvailable": ("Unknown", "NotStarted"),
        "TestsPassed": ("Unknown", "NotTested"),
        "TemplateModified": ("False", "AsDesired"),
    }
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        "observedGeneration": 1,
        "key": key(world, "hello-1"),
        "role": "Unlabelled",
        "replicas": 0,
        "readyReplicas": 0,
    }


async def test_a_version_that_serves_says_all_there_is_to_say() -> None:
    world = await serving_v1()
    status = world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]
    assert conditions(world, CUSTOM_MODEL_VERSION, "hello-1") == {
        "Ready": ("True", "Serving"),
        "Reconciling": ("False", "AsDesired"),
        "Stalled": ("False", "AsDesired"),
        "Serving": ("True", "Serving"),
        "SourceReady": ("True", "Resolved"),
        "EnvironmentReady": ("True", "Resolved"),
        "WorkloadAvailable": ("True", "Available"),
        "TestsPassed": ("True", "Passed"),
        "TemplateModified": ("False", "AsDesired"),
    }
    assert (status["label"], status["role"]) == ("1.0", "Serving")
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)
    assert status["image"].startswith("registry.example/envs/python@sha256:")
    assert status["codeDigest"].startswith("sha256:")
    assert status["workload"].endswith(status["templateHash"])


async def test_no_child_is_made_before_there_is_a_label_and_an_environment() -> None:
    world = World()
    world.user.apply(make_model(), V1)
    await world.settle()
    assert names(world, DEPLOYMENT) == names(world, CONTROLLER_REVISION) == names(world, CONFIG_MAP) == []


# --- the Ready table of the design, row by row -----------------------------------------------------------


async def test_row_candidate_starting_is_unknown_and_reconciling() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-2"] = "starting"
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-2")
    assert found["Ready"] == ("Unknown", "Starting")
    assert (found["Reconciling"][0], found["Stalled"][0]) == ("True", "False")


async def test_row_candidate_under_test_is_unknown_and_reconciling() -> None:
    world = await serving_v1()
    world.platform.holds_jobs = True
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-2")
    assert found["Ready"] == ("Unknown", "Testing")
    assert (found["Reconciling"][0], found["Stalled"][0]) == ("True", "False")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-2") == "0 of 1 tests ended"


async def test_row_serving_in_full_is_true() -> None:
    world = await serving_v1()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "Serving") == ("True", "Serving")


async def test_row_superseded_is_true_and_not_serving() -> None:
    world = await serving_v2()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-1")
    assert (found["Ready"], found["Serving"]) == (("True", "Superseded"), ("False", "NotServing"))
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == 'not needed; version "hello-2" (2.0) serves'


async def test_row_draining_is_true() -> None:
    world = await serving_v1()
    world.user.apply(V2)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Draining")


async def test_row_serving_with_too_few_replicas_is_degraded() -> None:
    world = await serving_v1(version=make_version("hello-1", label="1.0", replicas=2))
    pod = names(world, POD)[0]
    deployment = world.get(DEPLOYMENT, workload(world, "hello-1"))
    fewer = {**deployment["status"], "readyReplicas": 1, "availableReplicas": 1}
    world.api.set_status(DEPLOYMENT, NAMESPACE, deployment["metadata"]["name"], fewer)
    await world.work()
    assert pod in names(world, POD)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "Degraded")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == "1 of 2 replicas ready"


async def test_row_serving_with_none_ready_names_the_cause() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-1"] = "crashes"
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "Crashing")
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "Stalled")[0] == "False"


async def test_row_gate_failed_is_false_and_stalled() -> None:
    world = await serving_v1(gate=make_gate("accuracy"))
    world.platform.failing["hello-2"] = BAD
    world.user.apply(V2)
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-2")
    assert (found["Ready"], found["Stalled"][0]) == (("False", "TestsFailed"), "True")
    assert found["Reconciling"][0] == "False"
    assert found["TestsPassed"] == ("False", "TestsFailed")
    assert found["WorkloadAvailable"] == ("False", "Stopped")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-2") == f'test "accuracy" failed: errorCheck: {BAD}', (
        "the test, the check and the row"
    )


@pytest.mark.parametrize(
    ("objects", "reason", "message"),
    [
        (
            (V1,),
            "ModelNotFound",
            'CustomModel "hello" of spec.modelRef does not exist in namespace "team-a"; create it',
        ),
        (
            (V1, make_model()),
            "EnvironmentNotFound",
            'ExecutionEnvironment "python" does not exist in namespace "team-a"; create it',
        ),
        (
            (
                make_model(),
                make_environment(),
                make_version(environmentRef={"name": "python", "version": 3}),
            ),
            "EnvironmentVersionNotFound",
            'ExecutionEnvironment "python" has no version 3 as spec.environmentRef.version asks (it has: 1); '
            "name one of them in a new version, or none",
        ),
        (
            (make_model(), make_environment(), _from_config_map()),
            "ConfigMapNotFound",
            'ConfigMap "code" of spec.source does not exist in namespace "team-a"; create it',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
async def test_row_what_waits_for_something_named_is_unknown_then_false(
    objects: tuple[Manifest, ...], reason: str, message: str
) -> None:
    world = World()
    world.user.apply(*objects)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", reason)
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == message
    await world.pass_time(29, step=29)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1")[0] == "Unknown"
    await world.pass_time(2, step=1)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", reason)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "Stalled")[0] == "False"


async def test_row_label_taken_is_false_and_stalled_at_once() -> None:
    world = await serving_v1()
    world.user.apply(make_version("other", label="1.0"))
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "other")
    assert (found["Ready"], found["Stalled"]) == (("False", "LabelTaken"), ("True", "LabelTaken"))
    assert world.message(CUSTOM_MODEL_VERSION, "other") == (
        'spec.label "1.0" belongs to version "hello-1" of this model; a label is never given to different '
        "content twice: choose another, or leave it out"
    )


async def test_row_start_script_missing_is_false_and_stalled_at_once() -> None:
    files = [{"path": "server.py", "content": "x"}]
    world = World()
    world.user.apply(make_environment(), make_model(), make_version(source={"inline": files}))
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-1")
    assert found["Ready"] == found["SourceReady"] == ("False", "StartScriptMissing")
    assert found["Stalled"] == ("True", "StartScriptMissing")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == (
        'spec.source has no start_server.sh in its root, and ExecutionEnvironment "python" has no startCommand; '
        "add one of the two in a new version"
    )


# --- deleted versions, and versions that go ----------------------------------------------------------------


async def test_a_version_that_is_being_deleted_is_left_alone() -> None:
    world = await serving_v1()
    before = len(world.api.writes)
    world.user.delete_while_held(CUSTOM_MODEL_VERSION, "hello-1")
    assert await _outcome(world, "hello-1") == Settled()
    assert world.writes(since=before) == []


async def test_a_pass_over_a_version_that_is_gone_is_nothing() -> None:
    world = await serving_v1()
    before = len(world.api.writes)
    assert await _outcome(world, "never-was") == Settled()
    assert world.writes(since=before) == []


# --- what stands in the way --------------------------------------------------------------------------------


async def test_a_name_that_is_taken_becomes_a_condition_and_what_follows_is_not_made() -> None:
    world = await serving_v1()
    workload_of_v1 = workload(world, "hello-1")
    world.user.delete(SERVICE, workload_of_v1)
    theirs = {
        "metadata": {"name": workload_of_v1, "namespace": NAMESPACE},
        "spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]},
    }
    world.user.apply({"apiVersion": "v1", "kind": "Service", **theirs})
    await world.settle()
    found = conditions(world, CUSTOM_MODEL_VERSION, "hello-1")
    assert found["Ready"] == ("False", "NameTaken")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == (
        f"Service '{workload_of_v1}' in namespace 'team-a' exists and was not made by Modelyard: "
        "rename or delete it"
    )
    assert isinstance(await _outcome(world, "hello-1"), Waiting), "nobody tells us when it is gone"


@pytest.mark.parametrize(
    ("error", "reason", "stalled"),
    [
        (Forbidden("apply NetworkPolicy: no"), "Forbidden", "False"),
        (Invalid("apply NetworkPolicy: spec.x is wrong"), "InvalidSpec", "True"),
    ],
)
async def test_a_refusal_of_the_server_becomes_a_condition(
    error: Exception, reason: str, stalled: str
) -> None:
    world = World()

    world.api.before_write = refusing(error, NETWORK_POLICY)
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", reason)
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == str(error)
    assert names(world, DEPLOYMENT) == [], "no pods without their walls"
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "Stalled")[0] == stalled
    assert isinstance(await _outcome(world, "hello-1"), Waiting)
    assert world.failures == []


async def test_a_deletion_that_is_refused_becomes_a_condition_and_is_tried_again() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label="1.0", replicas=2))
    await world.settle()

    def refuse(method: str, path: str, kind: Any, name: str) -> None:
        if method == "DELETE":
            raise Forbidden(f"delete {kind.name}: no")

    world.api.before_write = refuse
    world.user.apply(make_version("hello-2", label="2.0"))
    await world.pass_time(120, step=30)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "Forbidden")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1").startswith("delete ")
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Superseded")
    assert world.failures == []


async def test_code_of_a_version_made_anew_is_not_taken_for_that_of_the_one_before() -> None:
    """`kubectl replace --force`: the watch has not told of it yet, and the server gives other files already."""
    world = World()
    world.user.apply(make_environment(), make_model())
    await world.settle()
    world.user.apply(V1)
    world.watch_is_broken = True
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    other = [{"path": "start_server.sh", "content": "exec other", "executable": True}]
    world.user.apply(make_version("hello-1", label="1.0", source={"inline": other}))
    await world.work()
    assert names(world, CONTROLLER_REVISION) == []


async def test_what_a_policy_called_invalid_is_tried_again_by_itself() -> None:
    """A ValidatingAdmissionPolicy answers 422 as a schema does; nobody tells us when it is gone."""
    world = World()

    def refuse(method: str, path: str, kind: Any, name: str) -> None:
        if kind == SERVICE and name != "hello":
            raise Invalid("apply Service: denied by a policy")

    world.api.before_write = refuse
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "InvalidSpec")
    world.api.before_write = None
    await world.pass_time(60, step=30)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


async def test_a_version_without_pods_waits_for_news_and_one_with_pods_for_the_time_as_well() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), V1)
    await world.work()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "Starting")
    assert await _outcome(world, "hello-1") == Waiting(timedelta(minutes=10))

    world.platform.behaviour["hello-1"] = "starting"
    await world.settle()
    assert await _outcome(world, "hello-1") == Waiting(timedelta(seconds=30))


async def test_what_is_refused_for_long_is_tried_less_often_but_every_ten_minutes() -> None:
    world = World()

    world.api.before_write = refusing(Invalid("apply NetworkPolicy: spec.x is wrong"), NETWORK_POLICY)
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    world.now += timedelta(minutes=20)
    assert await _outcome(world, "hello-1") == Waiting(timedelta(minutes=5))
    world.now += timedelta(days=1)
    assert await _outcome(world, "hello-1") == Waiting(timedelta(minutes=10))


async def test_any_other_error_is_not_swallowed() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), V1)

    world.api.before_write = refusing(Unavailable("busy"), NETWORK_POLICY)
    await world.settle()
    assert {str(error) for _, error in world.failures} == {"busy"}
    world.api.before_write = None
    await world.pass_time(5)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


# --- the time to start -------------------------------------------------------------------------------------


async def test_the_time_that_an_image_takes_is_not_the_models() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-2"] = "unpullable"
    world.user.apply(V2)
    await world.settle()
    await world.pass_time(400, step=20)
    world.platform.behaviour["hello-2"] = "starting"
    await world.settle()
    await world.pass_time(290, step=10)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("Unknown", "Starting")
    world.platform.behaviour.clear()
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("True", "Serving")


async def test_silence_for_longer_than_the_time_to_start_is_the_models_fault() -> None:
    world = await serving_v1()
    world.platform.behaviour["hello-2"] = "silent"
    world.user.apply(V2)
    await world.settle()
    await world.pass_time(320, step=10)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("Unknown", "Starting")
    await world.pass_time(40, step=10)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("False", "TestsFailed")
    assert 'test "startup" failed: pod hello-2-' in world.message(CUSTOM_MODEL_VERSION, "hello-2")


async def test_a_candidate_taken_up_again_has_no_endless_time_to_start() -> None:
    """A Deployment that was at zero counts as complete for ever: its own deadline says nothing the second time."""
    world = await serving_v1()
    world.platform.behaviour["hello-2"] = "crashes"
    world.user.apply(V2)
    await world.settle()
    world.user.apply(make_version("hello-3", label="3.0"))
    await world.settle()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-3")
    await world.pass_time(60, step=10)
    world.user.apply(make_model(gate=make_gate("accuracy")))
    await world.pass_time(600, step=30)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2")[0] != "Unknown"


# --- environments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_applied_together_with_a_new_image_a_version_runs_that_image(seed: int) -> None:
    world = World(seed=seed)
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    world.user.apply(make_environment(image="registry.example/envs/other:2"), V2)
    await world.settle()
    image = world.get(CUSTOM_MODEL_VERSION, "hello-2")["status"]["image"]
    assert image.startswith("registry.example/envs/other@sha256:")


async def test_a_version_keeps_its_environment_whatever_becomes_of_it() -> None:
    world = await serving_v1()
    before = world.get(DEPLOYMENT, workload(world, "hello-1"))
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    await world.settle()
    world.user.delete(EXECUTION_ENVIRONMENT, "python")
    await world.settle()
    assert world.get(DEPLOYMENT, workload(world, "hello-1")) == before
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


async def test_a_version_may_name_an_older_environment_version() -> None:
    world = await serving_v1()
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    world.user.apply(
        make_version("hello-2", label="2.0", environmentRef={"name": "python", "version": 1}),
    )
    await world.settle()
    image = world.get(CUSTOM_MODEL_VERSION, "hello-2")["status"]["image"]
    assert image.startswith("registry.example/envs/python@sha256:")


async def test_leftovers_of_a_deleted_environment_are_not_used() -> None:
    world = await serving_v1()
    world.api.collector_is_late = True
    world.user.delete(EXECUTION_ENVIRONMENT, "python")
    world.user.apply(V2)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2", "EnvironmentReady") == (
        "Unknown",
        "EnvironmentNotFound",
    )
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    await world.settle()
    image = world.get(CUSTOM_MODEL_VERSION, "hello-2")["status"]["image"]
    assert image.startswith("registry.example/envs/other@sha256:")


# --- code ----------------------------------------------------------------------------------------------------


async def test_versions_with_long_names_and_equal_code_do_not_share_what_they_mount() -> None:
    name = "customer-churn-prediction-model-production"
    world = await serving_v1(version=make_version(f"{name}-v1", label="1.0"))
    world.user.apply(make_version(f"{name}-v2", label="2.0", replicas=2))
    await world.settle()
    assert len(_of_version(world, CONFIG_MAP)) == 2
    world.user.delete(CUSTOM_MODEL_VERSION, f"{name}-v1")
    await world.pass_time(60, step=30)
    (code,) = _of_version(world, CONFIG_MAP)
    (deployment,) = world.all(DEPLOYMENT)
    assert deployment["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] == code


async def test_a_version_applied_again_with_other_content_does_not_take_the_code_of_what_serves() -> None:
    world = await serving_v1()
    serving = _of_version(world, CONFIG_MAP)
    world.platform.failing["hello-1"] = BAD
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    world.user.apply(make_version("hello-1", label="2.0"))
    await world.settle()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.pass_time(60, step=30)
    assert _of_version(world, CONFIG_MAP) == serving


async def test_a_source_that_changes_later_changes_nothing() -> None:
    world = World()
    world.user.apply(
        _code(**{"start_server.sh": "one"}), make_environment(), make_model(), _from_config_map()
    )
    await world.settle()
    before = world.get(DEPLOYMENT, workload(world, "hello-1"))
    world.user.edit(CONFIG_MAP, "code", data={"start_server.sh": "two"})
    world.start_operator()
    await world.settle()
    assert world.get(DEPLOYMENT, workload(world, "hello-1")) == before
    assert len(_of_version(world, CONFIG_MAP)) == 1


async def test_our_copy_of_the_code_comes_back_while_the_source_is_the_same() -> None:
    world = World()
    world.user.apply(
        _code(**{"start_server.sh": "one"}), make_environment(), make_model(), _from_config_map()
    )
    await world.settle()
    (copy,) = _of_version(world, CONFIG_MAP)
    world.user.delete(CONFIG_MAP, copy)
    await world.settle()
    assert _of_version(world, CONFIG_MAP) == [copy]


async def test_lost_code_whose_source_was_changed_is_told_and_looked_for_again() -> None:
    world = World()
    world.user.apply(
        _code(**{"start_server.sh": "one"}), make_environment(), make_model(), _from_config_map()
    )
    await world.settle()
    (copy,) = _of_version(world, CONFIG_MAP)
    world.user.edit(CONFIG_MAP, "code", data={"start_server.sh": "two"})
    world.user.delete(CONFIG_MAP, copy)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "SourceReady") == ("False", "CodeLost")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1", "SourceReady") == (
        'the copy of the files of ConfigMap "code" is gone, and it holds other files now. '
        "Next: put back what it held, or apply a new version"
    )
    world.user.edit(CONFIG_MAP, "code", data={"start_server.sh": "one"})
    await world.pass_time(40, step=10)
    assert _of_version(world, CONFIG_MAP) == [copy]
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "SourceReady") == ("True", "Resolved")


async def test_code_that_was_stored_but_never_frozen_is_not_mounted_later() -> None:
    """Killed between the code and its record; then the source changes."""

    class Killed(BaseException):
        pass

    def kill(write: Any) -> None:
        if write.actor == "operator" and write.kind == "ConfigMap":
            raise Killed

    world = World()
    world.api.after_write = kill
    world.user.apply(
        _code(**{"start_server.sh": "one"}), make_environment(), make_model(), _from_config_map()
    )
    with pytest.raises(Killed):
        await world.settle()
    world.api.after_write = None
    world.user.edit(CONFIG_MAP, "code", data={"start_server.sh": "two"})
    world.start_operator()
    await world.settle()
    (deployment,) = world.all(DEPLOYMENT)
    mounted = deployment["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"]
    assert _of_version(world, CONFIG_MAP) == [mounted], "and what is not mounted is gone"


async def test_a_config_map_that_is_mended_is_seen() -> None:
    world = World()
    world.user.apply(_code(**{"server.py": "x"}), make_environment(), make_model(), _from_config_map())
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "StartScriptMissing")
    world.user.edit(CONFIG_MAP, "code", data={"start_server.sh": "x"})
    await world.pass_time(40, step=10)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


# --- nothing untested gets traffic ---------------------------------------------------------------------------


async def test_a_lost_record_of_a_candidate_leaves_no_second_deployment_beside_the_tested_one() -> None:
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(), V1)
    await world.settle()
    first = workload(world, "hello-1")
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    await world.settle()
    world.user.delete(CONTROLLER_REVISION, first)
    world.platform.holds_jobs = False
    await world.settle()
    second = workload(world, "hello-1")
    assert second != first
    assert [n for n in names(world, POD) if n.startswith("hello-1-") and "starts" not in n] == [f"{second}-0"]
    for kind in (DEPLOYMENT, SERVICE, NETWORK_POLICY, CONTROLLER_REVISION):
        assert first not in names(world, kind), kind.name
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")


async def test_a_test_of_the_gates_name_that_asks_less_does_not_count() -> None:
    world = World()
    world.platform.holds_jobs = True
    world.user.apply(make_environment(), make_model(gate=make_gate("accuracy")), V1)
    await world.settle()
    (asked,) = world.all(MODEL_TEST)
    less = {**asked["spec"], "configuration": {"longRunningService": "fail", "errorCheck": "skip"}}
    del less["dataset"]
    world.watch_is_broken = True
    world.user.delete(MODEL_TEST, asked["metadata"]["name"])
    kept = ("name", "namespace", "labels", "ownerReferences")
    metadata = {name: asked["metadata"][name] for name in kept}
    world.api.create(MODEL_TEST, {**asked, "metadata": metadata, "spec": less})
    world.watch_is_broken = False
    world.platform.holds_jobs = False
    world.start_operator()
    await world.settle()
    (test,) = world.all(MODEL_TEST)
    assert test["spec"] == asked["spec"]
    assert world.get(MODEL_LEDGER, "hello")["spec"]["versions"][0]["verdict"]["result"] == "Passed"


async def test_a_record_of_a_former_model_is_not_what_is_tested() -> None:
    world = await serving_v1()
    world.api.collector_is_late = True
    world.user.delete(CUSTOM_MODEL, "hello")
    world.user.apply(make_model(targetName="other"))
    for kind in (MODEL_LEDGER, SERVICE):
        world.user.delete(kind, "hello")
    await world.pass_time(5)
    assert world.condition(CUSTOM_MODEL, "hello") == ("Unknown", "Progressing")
    world.api.collect()
    await world.pass_time(5)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    plans = [m["data"]["plan.json"] for m in world.all(CONFIG_MAP) if "plan.json" in m.get("data", {})]
    assert any(f'"{workload(world, "hello-1")}-0"' in plan for plan in plans)


async def test_the_ledger_of_a_former_model_gives_no_labels() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), make_version("hello-1", label=None))
    await world.settle()
    await world.pass_time(5)
    world.user.apply(make_version("hello-2", label=None))
    await world.settle()
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.pass_time(60, step=30)
    world.api.collector_is_late = True
    world.user.delete(CUSTOM_MODEL, "hello")
    world.user.apply(make_model(targetName="other"))
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("Unknown", "LabelPending")
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "NameTaken")
    assert "serving" not in world.get(CUSTOM_MODEL, "hello")["status"]
    world.api.collect()
    await world.pass_time(60, step=30)
    (deployment,) = world.all(DEPLOYMENT)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "MODEL_VERSION", "value": "1.0"} in container["env"]
    assert world.get(CUSTOM_MODEL_VERSION, "hello-2")["status"]["label"] == "1.0"


# --- the disruption budget ---------------------------------------------------------------------------------


async def test_only_a_version_that_serves_with_two_replicas_has_a_disruption_budget() -> None:
    world = await serving_v1(version=make_version("hello-1", label="1.0", replicas=2))
    assert names(world, POD_DISRUPTION_BUDGET) == [workload(world, "hello-1")]
    world.user.apply(V2)
    await world.settle()
    await world.pass_time(60, step=30)
    assert names(world, POD_DISRUPTION_BUDGET) == []


# --- what its tests wait for -------------------------------------------------------------------------------


async def test_what_a_test_waits_for_shows_on_the_version_and_on_the_model() -> None:
    gate = make_gate("accuracy", dataset={"configMap": {"name": "rows"}, "format": "json"})
    world = World()
    world.user.apply(make_environment(), make_model(gate=gate), V1)
    await world.settle()
    await world.pass_time(40, step=20)
    (test,) = names(world, MODEL_TEST)
    missing = 'ConfigMap "rows" of spec.dataset does not exist in namespace "team-a"; create it'
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "ConfigMapNotFound")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == (
        f'0 of 1 tests ended; ModelTest "{test}" waits: {missing}'
    )
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "ConfigMapNotFound")
    assert missing in world.message(CUSTOM_MODEL, "hello")
    world.user.apply(_code("rows", **{"rows.json": '{"x": [1, 2]}'}))
    await world.pass_time(40, step=20)
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")


async def test_data_without_its_key_refuses_no_version_and_is_mended_in_place() -> None:
    gate = make_gate("accuracy", dataset={"configMap": {"name": "rows", "key": "b"}, "format": "json"})
    world = World()
    world.user.apply(_code("rows", a='{"x": [1, 2]}'), make_environment(), make_model(gate=gate), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "InvalidDataset")
    await world.pass_time(2000, step=40)
    (test,) = names(world, MODEL_TEST)
    problem = 'ConfigMap "rows" of spec.dataset has no key "b" (it has: a). Next: add it'
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == ("False", "InvalidDataset")
    assert problem in world.message(CUSTOM_MODEL_VERSION, "hello-1")
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "InvalidDataset")
    assert problem in world.message(CUSTOM_MODEL, "hello")
    world.user.edit(CONFIG_MAP, "rows", data={"b": '{"x": [1, 2]}'})
    await world.pass_time(40, step=20)
    assert (names(world, MODEL_TEST), world.condition(CUSTOM_MODEL, "hello")) == (
        [test],
        ("True", "Serving"),
    )


async def test_rows_that_cannot_be_read_refuse_no_version_and_are_read_again_once_they_are_others() -> None:
    gate = make_gate("accuracy", dataset={"configMap": {"name": "rows"}, "format": "csv"})
    world = World()
    world.user.apply(_code("rows", a="x,y\n1\n"), make_environment(), make_model(gate=gate), V1)
    await world.settle()
    (test,) = names(world, MODEL_TEST)
    uid = world.get(MODEL_TEST, test)["metadata"]["uid"]
    await world.pass_time(2000, step=40)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "InvalidDataset")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == (
        f'1 of 1 tests ended; ModelTest "{test}" says nothing about the model: data set rows.csv: line 2, column "y": '
        "no value; the line has 1 value, the header names 2 columns. "
        'Next: mend ConfigMap "rows"; the test is then made anew'
    )
    assert world.get(MODEL_TEST, test)["metadata"]["uid"] == uid, "another run would say the same"
    assert world.get(MODEL_TEST, test)["status"]["overallStatus"] == "aborted"
    world.user.edit(CONFIG_MAP, "rows", data={"a": "x,y\n1,2\n"})
    await world.pass_time(40, step=20)
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    assert world.get(MODEL_TEST, test)["metadata"]["uid"] != uid


async def test_rows_in_a_gate_that_cannot_be_read_refuse_a_version_until_the_gate_is_edited() -> None:
    world = World()
    world.user.apply(
        make_environment(), make_model(gate=make_gate("accuracy", dataset=make_dataset("{}"))), V1
    )
    await world.pass_time(40, step=20)
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TestsFailed")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1") == (
        'test "accuracy" failed: errorCheck: Data set rows.json: has no columns. Next: write data that can be used '
        "into the gate of the model; an edited gate asks with new tests"
    )
    (test,) = names(world, MODEL_TEST)
    assert world.condition(MODEL_TEST, test, "Succeeded") == ("False", "InvalidDataset")
    world.user.edit(CUSTOM_MODEL, "hello", spec={"gate": make_gate("accuracy")})
    await world.pass_time(40, step=20)
    assert world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")


async def test_a_test_that_is_not_required_fails_without_harm_and_is_told() -> None:
    starts = make_gate("up", configuration={"longRunningService": "fail", "errorCheck": "skip"}, dataset=None)
    for test in starts["tests"]:
        del test["dataset"]
    gate = {"tests": [*starts["tests"], *make_gate("extra", required=False)["tests"]]}
    world = World()
    world.platform.failing_tests["extra"] = BAD
    world.user.apply(make_environment(), make_model(gate=gate), V1)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    assert world.message(CUSTOM_MODEL_VERSION, "hello-1", "TestsPassed") == (
        f'1 of 2 tests passed; test "extra", which is not required, failed: errorCheck: {BAD}'
    )


async def test_a_version_whose_record_was_lost_ends_like_any_other_when_it_is_not_needed_any_more() -> None:
    world = await serving_v1()
    first = workload(world, "hello-1")
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    await world.settle()
    world.user.delete(CONTROLLER_REVISION, first)
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TemplateLost")
    assert first in names(world, DEPLOYMENT)
    world.user.apply(V2)
    await world.settle()
    assert first in names(world, DEPLOYMENT), "its pods drain"
    await world.pass_time(31, step=31)
    assert first not in names(world, DEPLOYMENT)
    assert [name for name in names(world, POD) if name.startswith(first)] == []
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Superseded")


async def test_a_version_that_waits_for_what_brings_news_is_looked_at_ever_more_rarely() -> None:
    world = World()
    world.user.apply(make_environment(), make_model(), make_version())
    await world.work()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "Starting")
    passes = world.passes

    for _ in range(240):
        world.now += timedelta(seconds=30)
        await world.work()

    assert 10 < world.passes - passes < 60


async def test_what_a_new_test_waits_for_is_said_within_the_grace_however_old_the_pods_are() -> None:
    def gate_on(key: str) -> dict[str, Any]:
        gate = make_gate("rows")
        gate["tests"][0].update(dataset={"configMap": {"name": "rows", "key": key}, "format": "csv"})
        return make_model(gate=gate)

    rows = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rows", "namespace": NAMESPACE}}
    world = World()
    world.user.apply(make_environment(), gate_on("one"), make_version(), {**rows, "data": {"other": "1"}})
    await world.settle()
    await world.pass_time(7200, step=300)
    world.user.apply(gate_on("two"))
    await world.settle()
    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "InvalidDataset")

    await world.pass_time(65, step=5)

    assert world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "InvalidDataset")
