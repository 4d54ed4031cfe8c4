"""Who is woken by what: everything of a model wakes the model and its versions, and nothing else's."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CHILD_KINDS,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    OWN_KINDS,
    POD,
    Kind,
)
from modelyard.handlers.routing import is_own_word, woken
from modelyard.kube.cache import Cache

Manifest = dict[str, Any]


def make(name: str, spec: Manifest | None = None, **metadata: Any) -> Manifest:
    place = {"name": name, "namespace": "ns", "uid": f"u-{name}", "resourceVersion": "1"}
    return {"metadata": {**place, **metadata}, "spec": spec or {}}


def version(name: str, model: str, environment: str = "py", **metadata: Any) -> Manifest:
    spec = {"modelRef": {"name": model}, "environmentRef": {"name": environment}}
    return make(name, spec, **metadata)


def test(name: str, of: str, **more: Any) -> Manifest:
    return {**make(name, {"versionRef": {"name": of}}), **more}


test.__test__ = False  # type: ignore[attr-defined]


def owned(kind: str, name: str, api_version: str = labels.API_VERSION) -> list[Manifest]:
    return [{"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": True}]


@pytest.fixture
def known() -> Cache:
    """Model `m` with two versions, a test under way and one that ended; model `n` with one version."""
    cache = Cache()
    cache.put(EXECUTION_ENVIRONMENT, make("py"))
    cache.put(CUSTOM_MODEL, make("m"))
    cache.put(CUSTOM_MODEL, make("n"))
    for found in (version("m1", "m"), version("m2", "m", "other"), version("n1", "n")):
        cache.put(CUSTOM_MODEL_VERSION, found)
    cache.put(MODEL_TEST, test("running", "m2"))
    cache.put(MODEL_TEST, test("ended", "m2", status={"completedAt": "2026-01-01T00:00:00Z"}))
    cache.put(MODEL_TEST, test("of-n", "n1"))
    return cache


def lines(known: Cache, kind: Kind, new: Manifest | None, old: Manifest | None = None) -> set[str]:
    """What is woken by an object that comes, or changes from `old` to `new`."""
    return {f"{key.kind.short} {key.name}" for key in woken(kind, "ns", (old, new), known)}


ALL_OF_M = {"cmodel m", "cmv m1", "cmv m2", "mtest running"}


def test_a_model_wakes_itself_and_its_versions(known: Cache) -> None:
    assert lines(known, CUSTOM_MODEL, make("m")) == ALL_OF_M


def test_a_version_wakes_its_model_and_its_siblings(known: Cache) -> None:
    assert lines(known, CUSTOM_MODEL_VERSION, version("m3", "m")) == ALL_OF_M | {"cmv m3"}


@pytest.mark.parametrize(
    "change",
    [{"status": {"key": "k-m1"}}, {"status": {"key": "k-m1", "replicas": 1}}],
    ids=["its first", "another"],
)
def test_the_status_of_a_version_concerns_its_siblings_not(known: Cache, change: Manifest) -> None:
    before = version("m2", "m")

    assert lines(known, CUSTOM_MODEL_VERSION, {**before, **change}, before) == {
        "cmv m2",
        "cmodel m",
        "mtest running",
    }


def test_a_version_that_is_going_wakes_its_siblings(known: Cache) -> None:
    before, going = version("m1", "m"), version("m1", "m")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert lines(known, CUSTOM_MODEL_VERSION, going, before) == ALL_OF_M


def test_the_status_of_a_model_concerns_the_model_alone(known: Cache) -> None:
    before = make("m")

    assert lines(known, CUSTOM_MODEL, {**before, "status": {"a": 1}}, before) == {"cmodel m"}
    assert lines(known, CUSTOM_MODEL, make("m", {"gate": {}}), before) == ALL_OF_M
    assert lines(known, CUSTOM_MODEL, make("m", uid="u-another"), before) == ALL_OF_M


@pytest.mark.parametrize("kind", [CUSTOM_MODEL, CUSTOM_MODEL_VERSION], ids=lambda kind: kind.short)
def test_a_status_is_the_last_word_of_a_pass_over_a_model_or_a_version(kind: Kind) -> None:
    before = version("m1", "m", generation=1)

    assert is_own_word(
        kind, (before, {**version("m1", "m", generation=1, resourceVersion="2"), "status": {}})
    )


@pytest.mark.parametrize(
    "after",
    [
        None,
        make("m", generation=2),
        make("m", generation=1, labels={"a": "b"}),
        make("m", {"description": "other"}, generation=1),
        make("m", generation=1, uid="u-another"),
    ],
    ids=["gone", "edited", "labelled", "described", "made anew"],
)
def test_what_another_wrote_meanwhile_is_not_its_word(after: Manifest | None) -> None:
    assert not is_own_word(CUSTOM_MODEL, (make("m", generation=1), after))


def test_what_comes_is_nobodys_own_word() -> None:
    assert not is_own_word(CUSTOM_MODEL, (None, make("m")))


def test_a_pass_over_a_test_goes_on_from_its_own_status() -> None:
    before = test("running", "m2")

    assert not is_own_word(MODEL_TEST, (before, {**before, "status": {"startedAt": "2026-01-01T00:00:00Z"}}))


def test_a_description_concerns_what_it_describes_alone(known: Cache) -> None:
    """Nobody's pass reads it; the status of what it describes speaks of the new generation."""
    model, before = make("m", {"description": "old"}), version("m2", "m")
    described = {**before, "spec": {**before["spec"], "description": "new"}}

    assert lines(known, CUSTOM_MODEL, make("m", {"description": "new"}), model) == {"cmodel m"}
    assert lines(known, CUSTOM_MODEL, make("m"), model) == {"cmodel m"}
    assert lines(known, CUSTOM_MODEL, make("m", {"description": "new", "gate": {}}), model) == ALL_OF_M
    assert lines(known, CUSTOM_MODEL_VERSION, described, before) == {"cmv m2", "cmodel m", "mtest running"}


@pytest.mark.parametrize("label", [labels.OF_VERSION, labels.SERVES])
def test_a_child_of_a_version_wakes_that_version_and_its_model(known: Cache, label: str) -> None:
    known.put(CUSTOM_MODEL_VERSION, version("m2", "m", resourceVersion="2") | {"status": {"key": "k-m2"}})
    child = make("x", labels={labels.OF_MODEL: "m", label: "k-m2"})

    assert lines(known, DEPLOYMENT, child) == {"cmodel m", "cmv m2", "mtest running"}


def test_a_child_is_not_of_another_models_version_of_the_same_key(known: Cache) -> None:
    known.put(CUSTOM_MODEL_VERSION, version("m2", "m", resourceVersion="2") | {"status": {"key": "k"}})
    known.put(CUSTOM_MODEL_VERSION, version("other", "n", resourceVersion="2") | {"status": {"key": "k"}})

    child = make("x", labels={labels.OF_MODEL: "m", labels.OF_VERSION: "k"})
    assert lines(known, DEPLOYMENT, child) == {"cmodel m", "cmv m2", "mtest running"}


def test_a_child_of_one_of_many_versions_is_routed_without_looking_at_the_others(known: Cache) -> None:
    known.put(CUSTOM_MODEL_VERSION, version("m2", "m", resourceVersion="2") | {"status": {"key": "k"}})
    looked: list[str] = []
    known.referring = lambda kind, *rest: looked.append(kind.name) or []  # type: ignore[method-assign, func-returns-value]

    child = make("x", labels={labels.OF_MODEL: "m", labels.OF_VERSION: "k"})
    assert "cmv m2" in lines(known, DEPLOYMENT, child)
    assert "CustomModelVersion" not in looked


def test_a_child_of_a_version_that_has_not_said_its_key_yet_wakes_all_of_the_model(known: Cache) -> None:
    assert (
        lines(known, DEPLOYMENT, make("x", labels={labels.OF_MODEL: "m", labels.OF_VERSION: "k"})) == ALL_OF_M
    )


def test_a_child_of_a_test_wakes_the_model_and_none_of_its_versions(known: Cache) -> None:
    child = make("x", labels={labels.OF_MODEL: "m", labels.OF_TEST: "running"})

    assert lines(known, JOB, child) == {"cmodel m", "mtest running"}


def test_a_version_that_came_before_its_model_wakes_itself(known: Cache) -> None:
    assert lines(known, CUSTOM_MODEL_VERSION, version("x1", "x")) == {"cmv x1", "cmodel x"}


def test_a_ledger_wakes_its_model_and_the_versions(known: Cache) -> None:
    assert lines(known, MODEL_LEDGER, make("m", {"modelName": "m"})) == ALL_OF_M


def test_a_ledger_wakes_the_test_that_has_its_turn_though_its_version_is_gone(known: Cache) -> None:
    known.put(MODEL_TEST, test("left", "gone"))
    testing = {"name": "left", "uid": "u-left", "since": "2026-01-01T00:00:00Z"}

    woken_by = lines(known, MODEL_LEDGER, make("m", {"modelName": "m", "testing": testing}))

    assert woken_by == ALL_OF_M | {"mtest left"}


def test_an_environment_wakes_itself_and_the_versions_that_name_it(known: Cache) -> None:
    expected = {"exenv py", "cmv m1", "cmv n1"}

    assert lines(known, EXECUTION_ENVIRONMENT, make("py")) == expected
    made = make("py-1", {"environmentRef": {"name": "py"}})
    assert lines(known, EXECUTION_ENVIRONMENT_VERSION, made) == expected | {"exenvv py-1"}


def test_a_test_wakes_itself_its_version_and_what_waits_for_the_same_turn(known: Cache) -> None:
    assert lines(known, MODEL_TEST, test("more", "m1")) == {
        "cmodel m",
        "cmv m1",
        "mtest running",
        "mtest more",
    }


def test_a_test_whose_version_is_gone_wakes_the_model_by_its_label(known: Cache) -> None:
    orphan = test("more", "gone")
    orphan["metadata"]["labels"] = {labels.OF_MODEL: "m"}

    assert lines(known, MODEL_TEST, orphan) == ALL_OF_M | {"mtest more"}


def test_a_test_whose_version_is_gone_gives_its_turn_back_to_its_model(known: Cache) -> None:
    known.put(MODEL_LEDGER, make("m", {"modelName": "m", "testing": {"name": "more", "uid": "u"}}))

    assert lines(known, MODEL_TEST, test("more", "gone")) == {"mtest more", "cmodel m"}


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {labels.OF_MODEL: "m"}},
        {"labels": {labels.MODEL: "m"}},
        {"ownerReferences": owned("CustomModel", "m")},
    ],
    ids=["label of children", "label of pods", "owner"],
)
def test_every_child_wakes_the_model_that_it_belongs_to(known: Cache, kind: Kind, metadata: Manifest) -> None:
    assert lines(known, kind, make("x", **metadata)) == ALL_OF_M


def test_the_job_and_the_pod_of_a_test_wake_the_test(known: Cache) -> None:
    assert lines(known, JOB, make("x", ownerReferences=owned("ModelTest", "running"))) == {"mtest running"}
    assert lines(known, POD, make("x", labels={labels.OF_TEST: "running"})) == {"mtest running"}


def test_owners_of_other_groups_are_nothing_to_us(known: Cache) -> None:
    assert lines(known, POD, make("x", ownerReferences=owned("CustomModel", "m", "other.io/v1"))) == set()


def test_a_label_that_changed_wakes_both_owners(known: Cache) -> None:
    before, after = (make("x", labels={labels.OF_MODEL: model}) for model in ("m", "n"))

    assert lines(known, DEPLOYMENT, after, before) == ALL_OF_M | {"cmodel n", "cmv n1", "mtest of-n"}


@pytest.mark.parametrize("kind", [*OWN_KINDS, *CHILD_KINDS], ids=lambda kind: kind.name)
def test_what_was_deleted_wakes_as_what_is_there(known: Cache, kind: Kind) -> None:
    spec = {"modelName": "m", **{ref: {"name": "m1"} for ref in ("modelRef", "versionRef", "environmentRef")}}
    found = make("x", spec, labels={labels.OF_MODEL: "m"})

    assert woken(kind, "ns", (found, None), known) == woken(kind, "ns", (None, found), known)
    assert woken(kind, "ns", (found, None), known)


def test_other_namespaces_sleep_on(known: Cache) -> None:
    assert {key.namespace for key in woken(CUSTOM_MODEL, "ns", (None, make("m")), known)} == {"ns"}
    assert len(woken(CUSTOM_MODEL, "elsewhere", (None, make("m")), known)) == 1
