"""Stories of tests: their turns, their words, and what becomes of them. Golden files as in `test_stories`."""

from __future__ import annotations

from typing import Any

from modelyard.api.kinds import CONFIG_MAP, CUSTOM_MODEL, CUSTOM_MODEL_VERSION, MODEL_LEDGER, MODEL_TEST
from tests.support.objects import NAMESPACE, make_environment, make_gate, make_model, make_test, make_version
from tests.support.story import Story

V1 = make_version("hello-1", label="1.0")
V2 = make_version("hello-2", label="2.0")
BAD = "row 2: prediction is NaN; every prediction must be a finite number"
SHUFFLED = "7 of 100 rows are predicted otherwise when the rows are shuffled"


async def _serves_v1(story: Story, **model: Any) -> None:
    story.world.user.apply(make_environment(), make_model(**model), V1)
    await story.world.settle()
    await story.world.pass_time(40)
    story.begins("version 1.0 of the model hello passed its tests and serves")


def _turn(story: Story) -> str | None:
    testing = story.world.get(MODEL_LEDGER, "hello")["spec"].get("testing")
    return str(testing["name"]) if testing else None


async def _the_running_test_ends(story: Story) -> None:
    """It, and no other; the next one runs."""
    world, running = story.world, _turn(story)
    world.platform.holds_jobs = False
    while _turn(story) == running:
        assert await world.work() or world.platform.step(world.now), "nothing goes on"
    world.platform.holds_jobs = True
    await story.goes_on()


def _word(story: Story, test: str) -> str:
    return str(story.world.get(MODEL_TEST, test)["status"]["overallStatus"])


def _tests_passed(story: Story) -> tuple[str, str]:
    return story.world.condition(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed")


async def test_tests_wait_their_turn(story: Story) -> None:
    """Tests of a model run one at a time, and those that a new version must pass go before those made by hand."""
    await _serves_v1(story)
    story.world.platform.holds_jobs = True
    story.say("Somebody starts a test, and somebody else another one")
    await story.user_applies(make_test("ann"))
    await story.user_applies(make_test("bob"))
    assert story.world.message(MODEL_TEST, "bob").startswith("1st of 1 waiting")
    story.say("A new version comes: its test overtakes the one that waits, and not the one that runs")
    await story.user_applies(V2)
    assert story.world.get(MODEL_TEST, "bob")["status"]["queuePosition"] == 2
    story.say("The first test ends")
    await _the_running_test_ends(story)
    assert str(_turn(story)).startswith("hello-2-")
    story.say("The new version's test ends well: it serves, and the last one has its turn")
    await _the_running_test_ends(story)
    assert _turn(story) == "bob"
    story.world.platform.holds_jobs = False
    await story.goes_on()
    assert [_word(story, name) for name in ("ann", "bob")] == ["succeeded", "succeeded"]
    assert story.world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"


async def test_test_canceled(story: Story) -> None:
    """A test that runs is canceled: it ends at once, takes away what it made, and the next one runs."""
    await _serves_v1(story)
    story.world.platform.holds_jobs = True
    story.say("A test takes long, and another one waits for it")
    await story.user_applies(make_test("long"))
    await story.user_applies(make_test("short"))
    story.say("Somebody sets cancel: true on the test that runs")
    story.world.user.edit(MODEL_TEST, "long", spec={"cancel": True})
    await story.goes_on()
    assert (_word(story, "long"), _turn(story)) == ("canceled", "short")
    story.world.platform.holds_jobs = False
    await story.goes_on()
    assert _word(story, "short") == "succeeded"


async def test_version_that_warns(story: Story) -> None:
    """A version draws a warning and no failure: it serves, and says so with what was warned of."""
    await _serves_v1(story, gate=make_gate("accuracy"))
    story.world.platform.warning["hello-2"] = SHUFFLED
    story.say("A second version is applied that predicts otherwise when rows are shuffled")
    await story.user_applies(V2)
    await story.time_passes(40)
    assert story.world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"
    assert SHUFFLED in story.world.message(CUSTOM_MODEL_VERSION, "hello-2", "TestsPassed")


async def test_old_tests_go(story: Story) -> None:
    """A gate keeps the last tests that it is told to keep: older ones go with their reports, verdicts stay."""
    gate = {**make_gate("accuracy"), "successfulTestsHistoryLimit": 1, "failedTestsHistoryLimit": 1}
    await _serves_v1(story, gate=gate)
    story.world.platform.failing["hello-2"] = BAD
    story.say("A second version fails, a third and a fourth pass")
    await story.user_applies(V2)
    await story.user_applies(make_version("hello-3", label="3.0"))
    await story.time_passes(40)
    await story.user_applies(make_version("hello-4", label="4.0"))
    await story.time_passes(40)
    left = {test["spec"]["versionRef"]["name"] for test in story.world.all(MODEL_TEST)}
    assert left == {"hello-2", "hello-3", "hello-4"}
    ledger = story.world.get(MODEL_LEDGER, "hello")["spec"]["versions"]
    assert [fact["verdict"]["result"] for fact in ledger] == ["Passed", "Failed", "Passed", "Passed"]


async def test_test_with_a_time_to_live(story: Story) -> None:
    """A test is told how long to stay once it has ended: then it goes, and its report with it."""
    await _serves_v1(story)
    story.say("Somebody makes a test that is to stay for a minute")
    await story.user_applies(make_test("quick", ttlSecondsAfterFinished=60))
    assert _word(story, "quick") == "succeeded"
    await story.time_passes(55)
    assert _word(story, "quick") == "succeeded"
    await story.time_passes(10)
    assert [
        test["metadata"]["name"]
        for test in story.world.all(MODEL_TEST)
        if "ownerReferences" not in test["metadata"]
    ] == []


async def test_version_tested_with_more_memory(story: Story) -> None:
    """A version that serves is tested with other resources: a copy of it gets them, what serves does not notice."""
    await _serves_v1(story)
    before = story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"]
    story.say("Somebody tests it with two replicas and twice the memory")
    await story.user_applies(make_test("bigger", replicas=2, maximumMemory="2Gi"))
    assert _word(story, "bigger") == "succeeded"
    assert story.world.get(CUSTOM_MODEL_VERSION, "hello-1")["status"] == before


async def test_data_of_a_gate_mended(story: Story) -> None:
    """A gate's data cannot be used: nothing is said against the version, which serves once the data is mended."""
    rows = {"name": "rows", "namespace": NAMESPACE}
    story.world.user.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": rows, "data": {"old.csv": "x,y\n"}}
    )
    dataset = {"configMap": {"name": "rows", "key": "new.csv"}, "format": "csv"}
    await _serves_v1(story)
    story.say(
        "The gate gets a test whose data has another key in its ConfigMap, and a second version is applied"
    )
    story.world.user.edit(CUSTOM_MODEL, "hello", spec={"gate": make_gate("accuracy", dataset=dataset)})
    await story.user_applies(V2)
    await story.time_passes(40)
    assert _tests_passed(story) == ("False", "InvalidDataset")
    story.say("Somebody adds the key, with a row that lacks a value")
    story.world.user.edit(CONFIG_MAP, "rows", data={"new.csv": "x,y\n1\n"})
    await story.time_passes(80)
    assert _tests_passed(story) == ("False", "InvalidDataset")
    story.say("Somebody writes the value")
    story.world.user.edit(CONFIG_MAP, "rows", data={"new.csv": "x,y\n1,2\n"})
    await story.time_passes(80)
    assert story.world.get(CUSTOM_MODEL, "hello")["status"]["serving"]["name"] == "hello-2"
