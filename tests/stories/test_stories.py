"""Lives of a model, told as transcripts: tests/golden/stories/*.txt are what a reader should read."""

from __future__ import annotations

from typing import Any

from modelyard.api.kinds import (
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EXECUTION_ENVIRONMENT,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    SERVICE,
)
from tests.support.objects import NAMESPACE, make_environment, make_gate, make_model, make_test, make_version
from tests.support.story import Story

V1 = make_version("hello-1", label="1.0")
V2 = make_version("hello-2", label="2.0")
BAD = "row 2: prediction is NaN; every prediction must be a finite number"


async def _serves_v1(story: Story, **model: Any) -> None:
    story.world.user.apply(make_environment(), make_model(**model), V1)
    await story.world.settle()
    await story.world.pass_time(40)
    story.begins("version 1.0 of the model hello passed its tests and serves")


def _serving(story: Story) -> str:
    return str(story.world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"])


async def test_first_version(story: Story) -> None:
    """The first version of a model: it is started where nobody calls it, tested there, and only then serves."""
    story.say("An environment, a model and a version are applied")
    await story.user_applies(make_environment(), make_model(), V1)
    assert _serving(story) == "hello-1"
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    await story.a_new_operator_writes_nothing()


async def test_second_version(story: Story) -> None:
    """A second version takes over from the first without a gap."""
    await _serves_v1(story)
    story.say("A second version is applied")
    await story.user_applies(V2)
    assert _serving(story) == "hello-2"
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Draining")
    await story.time_passes(30)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Superseded")
    await story.a_new_operator_writes_nothing()


async def test_failing_gate(story: Story) -> None:
    """A version that fails its test never serves; what served before serves on."""
    await _serves_v1(story, gate=make_gate("accuracy"))
    story.say("A second version is applied that fails its test")
    story.world.platform.failing["hello-2"] = BAD
    await story.user_applies(V2)
    assert _serving(story) == "hello-1"
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("False", "CandidateRejected")
    assert story.world.condition(CUSTOM_MODEL, "hello", "Available") == ("True", "Serving")
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("False", "TestsFailed")
    assert BAD in story.world.message(CUSTOM_MODEL_VERSION, "hello-2")
    await story.a_new_operator_writes_nothing()


async def test_good_and_bad_version_applied_at_once(story: Story) -> None:
    """Two versions come at once: the newest fails its test, so the older one serves."""
    story.world.platform.failing["hello-2"] = BAD
    story.say("Everything is applied in one go, and the newest version fails its test")
    await story.user_applies(V2, V1, make_model(gate=make_gate("accuracy")), make_environment())
    assert _serving(story) == "hello-1"
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("False", "TestsFailed")


async def test_gate_mended(story: Story) -> None:
    """The test itself was wrong: once it is mended, the refused version gets another chance."""
    await _serves_v1(story, gate=make_gate("accuracy"))
    story.world.platform.failing["hello-2"] = BAD
    await story.user_applies(V2)
    story.say("The gate itself was wrong; it is edited, and the refused version gets another chance")
    story.world.platform.failing.clear()
    await story.user_applies(make_model(gate=make_gate("accuracy", timeoutSeconds=300)))
    assert _serving(story) == "hello-2"


async def test_newer_version_while_one_is_tested(story: Story) -> None:
    """A newer version comes while another is under test: the newest goes first."""
    await _serves_v1(story)
    story.world.platform.holds_jobs = True
    story.say("A second version is under test when a third one comes")
    await story.user_applies(V2)
    await story.user_applies(make_version("hello-3", label="3.0"))
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("True", "Superseded")
    story.say("The third one fails; the second is tested anew, on pods that run")
    story.world.platform.failing["hello-3"] = BAD
    story.world.platform.holds_jobs = False
    await story.goes_on()
    assert _serving(story) == "hello-2"
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-3") == ("False", "TestsFailed")


async def test_crashing_version(story: Story) -> None:
    """A version crashes at its start: it is given time, then refused, and nobody who calls the model notices."""
    await _serves_v1(story)
    story.world.platform.behaviour["hello-2"] = "crashes"
    story.say("A second version is applied that never starts")
    await story.user_applies(V2)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("Unknown", "Crashing")
    await story.time_passes(360)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-2") == ("False", "TestsFailed")
    assert "exit code 1" in story.world.message(CUSTOM_MODEL_VERSION, "hello-2")
    assert _serving(story) == "hello-1"


async def test_image_that_cannot_be_pulled(story: Story) -> None:
    """An image is missing: that is waited for, and not held against the version."""
    story.world.platform.behaviour["hello-1"] = "unpullable"
    story.say("The image is missing: that is waited for, not held against the version")
    await story.user_applies(make_environment(), make_model(), V1)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "ImagePullFailed")
    await story.time_passes(400)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "ImagePullFailed")
    story.say("The image is there now")
    story.world.platform.behaviour.clear()
    await story.goes_on()
    assert _serving(story) == "hello-1"


async def test_edited_child(story: Story) -> None:
    """Somebody edits what the operator made: it is put right again."""
    await _serves_v1(story)
    workload = story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["workload"]
    story.say("Somebody scales the Deployment, opens the policy and edits the Service")
    story.world.user.edit(DEPLOYMENT, workload, spec={"replicas": 5})
    story.world.user.edit(NETWORK_POLICY, workload, spec={"egress": [{}]})
    story.world.user.edit(SERVICE, "hello", spec={"selector": {"modelyard.dev/serves": "mine"}})
    await story.goes_on()
    assert story.world.get(DEPLOYMENT, workload)["spec"]["replicas"] == 1
    assert story.world.get(NETWORK_POLICY, workload)["spec"].get("egress", []) == []
    assert story.world.get(SERVICE, "hello")["spec"]["selector"] != {"modelyard.dev/serves": "mine"}


async def test_added_sidecar(story: Story) -> None:
    """Somebody adds a container to a model's pods: it stays, and it shows."""
    await _serves_v1(story)
    workload = story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["workload"]
    containers = story.world.get(DEPLOYMENT, workload)["spec"]["template"]["spec"]["containers"]
    story.say("Somebody adds a sidecar to the Deployment: it stays, and shows")
    sidecar = {"name": "mesh", "image": "mesh:1"}
    story.world.user.edit(
        DEPLOYMENT, workload, spec={"template": {"spec": {"containers": [*containers, sidecar]}}}
    )
    await story.goes_on()
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1", "TemplateModified")[0] == "True"
    live = story.world.get(DEPLOYMENT, workload)["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in live] == ["model", "mesh"]


async def test_deleted_children(story: Story) -> None:
    """Somebody deletes what the operator made: it is made again."""
    await _serves_v1(story)
    workload = story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["workload"]
    story.say("Somebody deletes the Deployment, both Services, the policy and the record of the template")
    for kind in (DEPLOYMENT, SERVICE, NETWORK_POLICY, CONTROLLER_REVISION):
        story.world.user.delete(kind, workload)
    story.world.user.delete(SERVICE, "hello")
    await story.goes_on()
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    assert story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["workload"] == workload


async def test_environment_missing_then_appearing(story: Story) -> None:
    """A version comes before its environment: it says what it waits for, and goes on when that is there."""
    story.say("A version names an environment that is not there")
    await story.user_applies(make_model(), V1)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "EnvironmentNotFound")
    await story.time_passes(35)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "EnvironmentNotFound")
    story.say("It appears")
    await story.user_applies(make_environment())
    assert _serving(story) == "hello-1"


async def test_model_missing_then_appearing(story: Story) -> None:
    """A version comes before its model: it says what it waits for, and goes on when that is there."""
    await story.user_applies(make_environment(), V1)
    await story.time_passes(35)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "ModelNotFound")
    await story.user_applies(make_model())
    assert _serving(story) == "hello-1"


async def test_name_taken(story: Story) -> None:
    """The model's name is taken by somebody else's Service: that is left alone, and said."""
    metadata = {"name": "hello", "namespace": NAMESPACE}
    spec = {"selector": {"app": "x"}, "ports": [{"port": 80}]}
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    story.say("There is a Service of the model's name already, and it is somebody else's")
    await story.user_applies(theirs, make_environment(), make_model(), V1)
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("False", "NameTaken")
    assert story.world.get(SERVICE, "hello")["spec"]["selector"] == {"app": "x"}
    story.say("They take it away")
    await story.user_deletes(SERVICE, "hello")
    await story.time_passes(60)
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")


async def test_label_taken(story: Story) -> None:
    """A version asks for a label that another version has: it is refused."""
    await _serves_v1(story)
    story.say("Another version asks for a label that is given")
    await story.user_applies(make_version("other", label="1.0"))
    assert story.world.condition(CUSTOM_MODEL_VERSION, "other") == ("False", "LabelTaken")
    assert _serving(story) == "hello-1"


async def test_version_replaced_by_rename_to_a_good_one(story: Story) -> None:
    """A chart renames its only version: the new one takes over, then the old one goes."""
    await _serves_v1(story)
    story.say("A chart renames its only version: the new one is created, the old one deleted")
    story.world.user.apply(V2)
    story.world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await story.goes_on()
    assert _serving(story) == "hello-2"
    await story.time_passes(40)
    owners = {m["metadata"]["labels"]["modelyard.dev/of-version"] for m in story.world.all(DEPLOYMENT)}
    assert len(owners) == 1


async def test_version_replaced_by_rename_to_a_bad_one(story: Story) -> None:
    """A chart renames its only version and the new one is bad: the deleted one serves on."""
    await _serves_v1(story)
    story.world.platform.failing["hello-2"] = BAD
    story.say("A chart renames its only version, and the new one fails its tests")
    story.world.user.apply(V2)
    story.world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await story.goes_on()
    await story.time_passes(60)
    assert _serving(story) == "hello-1"
    assert story.world.condition(CUSTOM_MODEL, "hello", "Available") == ("True", "Serving")
    story.say("The deleted version's Deployment is deleted by hand too: it comes back")
    workload = next(
        m["metadata"]["name"]
        for m in story.world.all(DEPLOYMENT)
        if m["metadata"]["name"].startswith("hello-1")
    )
    await story.user_deletes(DEPLOYMENT, workload)
    assert story.world.condition(CUSTOM_MODEL, "hello", "Available") == ("True", "Serving")
    story.say("A good one follows")
    await story.user_applies(make_version("hello-3", label="3.0"))
    assert _serving(story) == "hello-3"


async def test_only_version_deleted(story: Story) -> None:
    """The only version is deleted: it serves on until another does, or the model goes."""
    await _serves_v1(story)
    story.say("The only version is deleted: it serves on until another does, or the model goes")
    await story.user_deletes(CUSTOM_MODEL_VERSION, "hello-1")
    await story.time_passes(60)
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("True", "ServingVersionDeleted")
    assert len(story.world.all(POD)) >= 1
    story.say("It is applied again: the same content has the same label, and serves without a new test")
    tests = len(story.world.all(MODEL_TEST))
    await story.user_applies(V1)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("True", "Serving")
    assert len(story.world.all(MODEL_TEST)) == tests


async def test_rolled_back_in_git(story: Story) -> None:
    """A release is taken back in Git: the version before serves again, under its old label."""
    await _serves_v1(story)
    story.say("Version 2 replaces version 1, and is then taken back")
    story.world.user.apply(V2)
    story.world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await story.goes_on()
    await story.time_passes(40)
    story.world.user.apply(V1)
    story.world.user.delete(CUSTOM_MODEL_VERSION, "hello-2")
    await story.goes_on()
    assert _serving(story) == "hello-1"
    assert story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["label"] == "1.0"


async def test_model_deleted(story: Story) -> None:
    """A model and all that belongs to it is deleted, in any order: nothing stays."""
    await _serves_v1(story)
    story.say("The model is deleted first, then the rest: nothing stays")
    await story.user_deletes(CUSTOM_MODEL, "hello")
    await story.user_deletes(CUSTOM_MODEL_VERSION, "hello-1")
    await story.user_deletes(EXECUTION_ENVIRONMENT, "python")
    await story.time_passes(60)
    assert [address[2] for address in story.world.api.objects if address[0].name != "Event"] == []


async def test_model_deleted_and_created_again(story: Story) -> None:
    """A model is deleted and applied again while its version stays: it serves again."""
    await _serves_v1(story)
    story.say("The model is deleted and applied again under its name, while its version stays")
    story.world.user.delete(CUSTOM_MODEL, "hello")
    await story.user_applies(make_model())
    assert _serving(story) == "hello-1"


async def test_ledger_restored_from_a_backup(story: Story) -> None:
    """Everything is lost and comes back from a backup: what was tested need not be tested again."""
    await _serves_v1(story)
    saved = story.world.get(MODEL_LEDGER, "hello")
    story.say("Everything is lost and comes back from a backup: owner references do not, facts do")
    story.world.user.delete(CUSTOM_MODEL, "hello")
    story.world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await story.goes_on()
    restored = {"name": "hello", "namespace": NAMESPACE}
    story.world.user.apply({**saved, "metadata": restored}, make_model(), V1)
    await story.goes_on()
    assert _serving(story) == "hello-1"
    owners = story.world.get(MODEL_LEDGER, "hello")["metadata"]["ownerReferences"]
    assert [owner["kind"] for owner in owners] == ["CustomModel"]


async def test_objects_deleted_while_a_watch_was_broken(story: Story) -> None:
    """Everything is deleted while the operator cannot see: it makes nothing of it again."""
    await _serves_v1(story)
    await story.user_applies(V2)
    await story.time_passes(40)
    story.say("The watch breaks; meanwhile the model, its versions and all children vanish")
    story.world.watch_is_broken = True
    for kind, name in (
        (CUSTOM_MODEL, "hello"),
        (CUSTOM_MODEL_VERSION, "hello-1"),
        (CUSTOM_MODEL_VERSION, "hello-2"),
    ):
        story.world.user.delete(kind, name)
    await story.goes_on()
    story.say("The watch is back, and lists: no ghost stays in the cache, nothing is made again")
    story.world.watch_is_broken = False
    before = len(story.world.api.writes)
    story.world.relist()
    await story.goes_on()
    await story.time_passes(120)
    assert story.world.cache.count(CUSTOM_MODEL) == 0
    assert story.world.cache.count(DEPLOYMENT) == 0
    assert [str(write) for write in story.world.api.writes[before:]] == []


async def test_child_deleted_while_a_watch_was_broken(story: Story) -> None:
    """A Deployment is deleted while the operator cannot see: it is made again once it can."""
    await _serves_v1(story)
    workload = story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]["workload"]
    story.world.watch_is_broken = True
    story.say(
        "The Deployment vanishes while the watch is broken; the next list shows it, and it is made again"
    )
    await story.user_deletes(DEPLOYMENT, workload)
    story.world.watch_is_broken = False
    story.world.relist()
    await story.goes_on()
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("True", "Serving")
    assert story.world.get(DEPLOYMENT, workload)["spec"]["replicas"] == 1


async def test_test_by_hand(story: Story) -> None:
    """Somebody tests the version that serves, with data of their own, on a copy of it."""
    await _serves_v1(story)
    story.say("Somebody tests the version that serves, with data of their own")
    await story.user_applies(make_test())
    assert story.world.condition(MODEL_TEST, "hello-1-check", "Succeeded") == ("True", "Passed")
    assert len([m for m in story.world.all(JOB) if m["metadata"]["name"].startswith("hello-1-check")]) == 1


async def test_pod_of_a_test_evicted(story: Story) -> None:
    """A test's pod is evicted: that says nothing about the model, so the test runs once more."""
    story.world.platform.evictions = 1
    story.say("The pod of the test is evicted; the test runs once more")
    await story.user_applies(make_environment(), make_model(), V1)
    await story.time_passes(40)
    assert _serving(story) == "hello-1"
    assert len(story.world.all(JOB)) == 2


async def test_pod_of_a_test_evicted_twice(story: Story) -> None:
    """A test's pod is evicted twice: still no verdict, so the test is made anew until it can speak."""
    story.world.platform.evictions = 2
    story.say("The pod of the test is evicted, and evicted again: the test ends without a word on the model")
    await story.user_applies(make_environment(), make_model(), V1)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("Unknown", "RunAgain")
    assert "Evicted" in story.world.message(CUSTOM_MODEL_VERSION, "hello-1")
    await story.time_passes(90)
    assert _serving(story) == "hello-1"


async def test_gate_tightened_before_an_older_version_takes_over(story: Story) -> None:
    """The gate gets stricter: an older version must pass it too before it serves again."""
    await _serves_v1(story, gate=make_gate("accuracy"))
    await story.user_applies(V2)
    await story.time_passes(40)
    story.say("The gate gets a second test, which version 1 would not pass; then version 2 is taken back")
    await story.user_applies(make_model(gate=make_gate("accuracy", "fairness")))
    story.world.platform.failing["hello-1"] = BAD
    await story.user_deletes(CUSTOM_MODEL_VERSION, "hello-2")
    await story.time_passes(60)
    assert _serving(story) == "hello-2"
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TestsFailed")


async def test_passes_and_then_crashes_before_it_serves(story: Story) -> None:
    """A version passes its tests and crashes before it can take over: it does not."""
    story.world.platform.holds_jobs = True
    story.say("A version passes its tests and crashes before it can take over")
    await story.user_applies(make_environment(), make_model(), V1)
    story.world.platform.holds_jobs = False
    story.world.platform.crash_before_verdict.add("hello-1")
    await story.goes_on()
    assert story.world.get(CUSTOM_MODEL, "hello")["status"].get("serving") is None
    await story.time_passes(400)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "TestsFailed")
    assert story.world.condition(CUSTOM_MODEL, "hello") == ("False", "CandidateRejected")


async def test_spread_that_does_not_fit(story: Story) -> None:
    """Two replicas on different nodes are asked for, and there is one node: the status says so."""
    story.world.platform.behaviour["hello-1"] = "unschedulable"
    story.say("Two replicas on different nodes are asked for, and there is one node")
    version = make_version("hello-1", label="1.0", replicas=2, requiresHa=True)
    await story.user_applies(make_environment(), make_model(), version)
    await story.time_passes(35)
    assert story.world.condition(CUSTOM_MODEL_VERSION, "hello-1") == ("False", "InsufficientNodes")
