"""The cache believes the newest news, whichever way and in whatever order they come."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    MODEL_LEDGER,
    POD,
    Kind,
)
from modelyard.kube import tombstones
from modelyard.kube.cache import Cache
from modelyard.kube.shelf import AWAKE

Manifest = dict[str, Any]


def pod(
    version: int | str, name: str = "a", *, uid: str = "u-1", namespace: str = "ns", **more: Any
) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    metadata["labels"] = more.pop("labels", {})
    return {"metadata": metadata, "spec": {"v": str(version)}, **more}


class Heard:
    """A listener that writes down what it hears."""

    def __init__(self, cache: Cache) -> None:
        self.lines: list[str] = []
        cache.listen(self)

    def __call__(
        self, kind: Kind, namespace: str, name: str, old: Manifest | None, new: Manifest | None
    ) -> None:
        def version(manifest: Manifest | None) -> str:
            return manifest["metadata"]["resourceVersion"] if manifest else "-"

        self.lines.append(f"{kind.name} {namespace}/{name} {version(old)}>{version(new)}")


@pytest.fixture(params=[AWAKE, 1], ids=["awake", "asleep"])
def cache(request: pytest.FixtureRequest) -> Cache:
    return Cache(request.param)


@pytest.fixture
def heard(cache: Cache) -> Heard:
    return Heard(cache)


def cached(cache: Cache, name: str = "a") -> str | None:
    found = cache.get(POD, "ns", name)
    return found["metadata"]["resourceVersion"] if found else None


def test_objects_are_found_by_kind_namespace_and_name(cache: Cache) -> None:
    cache.put(POD, pod(1))

    assert cached(cache) == "1"
    assert cache.get(POD, "other", "a") is None
    assert cache.get(DEPLOYMENT, "ns", "a") is None
    assert cache.get(POD, "ns", "b") is None


def test_items_of_lists_get_their_kind_back(cache: Cache) -> None:
    cache.put(DEPLOYMENT, pod(1))

    found = cache.get(DEPLOYMENT, "ns", "a")
    assert found is not None
    assert (found["apiVersion"], found["kind"]) == ("apps/v1", "Deployment")


def test_older_news_are_dropped_and_newer_are_told(cache: Cache, heard: Heard) -> None:
    assert cache.put(POD, pod(5))
    assert not cache.put(POD, pod(4))
    assert not cache.put(POD, pod(5))
    assert cache.put(POD, pod(10)), "versions are numbers: 10 comes after 5"

    assert heard.lines == ["Pod ns/a ->5", "Pod ns/a 5>10"]


def test_a_new_version_without_a_change_is_kept_but_not_told(cache: Cache, heard: Heard) -> None:
    cache.put(POD, pod(1, spec={"same": True}))
    cache.put(POD, pod(2, spec={"same": True}))

    assert cached(cache) == "2"
    assert heard.lines == ["Pod ns/a ->1"]


def test_versions_that_are_no_numbers_are_news_when_they_differ(cache: Cache) -> None:
    assert cache.put(POD, pod("b7"))
    assert not cache.put(POD, pod("b7"))
    assert cache.put(POD, pod("a1"))


def test_a_deleted_object_is_gone_and_told(cache: Cache, heard: Heard) -> None:
    cache.put(POD, pod(1))
    cache.remove(POD, pod(3))

    assert cached(cache) is None
    assert heard.lines[-1] == "Pod ns/a 1>-"
    assert cache.select(POD, "ns") == []
    assert cache.count(POD) == 0


def test_late_news_do_not_bring_a_deleted_object_back(cache: Cache) -> None:
    cache.put(POD, pod(1))
    cache.remove(POD, pod(5))

    assert not cache.put(POD, pod(4))
    assert not cache.put(POD, pod(5))
    assert cached(cache) is None


def test_a_delete_that_comes_before_all_news_of_the_object_counts(cache: Cache) -> None:
    cache.remove(POD, pod(5))

    assert not cache.put(POD, pod(3))
    assert cache.put(POD, pod(6, uid="u-2"))


def test_an_object_that_was_made_again_outlives_the_late_delete_of_the_first(
    cache: Cache, heard: Heard
) -> None:
    cache.put(POD, pod(1))
    cache.put(POD, pod(6, uid="u-2"))
    cache.remove(POD, pod(5, uid="u-1"))

    assert cached(cache) == "6"
    assert len(heard.lines) == 2


def test_an_older_delete_does_not_weaken_a_newer_one(cache: Cache) -> None:
    cache.remove(POD, pod(9, uid="u-2"))
    cache.remove(POD, pod(5, uid="u-1"))

    assert not cache.put(POD, pod(7, uid="u-2"))


def test_an_object_that_left_the_selection_comes_back_with_its_label(cache: Cache) -> None:
    """Taking our label away ends the watch of the object as a delete; our next apply puts the label back."""
    cache.put(POD, pod(1))
    cache.remove(POD, pod(2))

    assert cache.put(POD, pod(3))


def test_what_is_read_by_its_name_stands_though_its_label_was_lost_at_this_version(
    cache: Cache, heard: Heard
) -> None:
    cache.put(POD, pod(1))
    cache.remove(POD, pod(2))

    assert not cache.put(POD, pod(2)), "late news of a watch or a list"
    assert cache.put(POD, pod(2), stands=True)
    assert cached(cache) == "2"
    assert heard.lines == ["Pod ns/a ->1", "Pod ns/a 1>-", "Pod ns/a ->2"]


def test_what_was_read_before_a_newer_delete_does_not_stand(cache: Cache) -> None:
    cache.put(POD, pod(1))
    cache.remove(POD, pod(3))

    assert not cache.put(POD, pod(2), stands=True)
    assert cached(cache) is None


def test_what_we_deleted_ourselves_does_not_stand_whatever_was_read(cache: Cache) -> None:
    cache.put(POD, pod(1))
    cache.forget(POD, "ns", "a", "u-1")

    assert not cache.put(POD, pod(1), stands=True)
    assert not cache.put(POD, pod(2), stands=True)
    assert cached(cache) is None


def test_what_is_read_again_as_it_is_known_is_no_news(cache: Cache, heard: Heard) -> None:
    cache.put(POD, pod(1))

    assert not cache.put(POD, pod(1), stands=True)
    assert heard.lines == ["Pod ns/a ->1"]


def test_what_we_deleted_ourselves_stays_gone_whatever_news_are_under_way(cache: Cache, heard: Heard) -> None:
    cache.put(POD, pod(1))
    cache.forget(POD, "ns", "a", "u-1")

    assert not cache.put(POD, pod(2)), "an update that was made just before our delete"
    assert cached(cache) is None
    assert heard.lines[-1] == "Pod ns/a 1>-"
    assert cache.put(POD, pod(4, uid="u-2")), "another object of that name is none of it"


def test_forgetting_an_object_that_was_made_again_does_nothing(cache: Cache) -> None:
    cache.put(POD, pod(6, uid="u-2"))
    cache.forget(POD, "ns", "a", "u-1")

    assert cached(cache) == "6"


def test_a_list_buries_ghosts(cache: Cache, heard: Heard) -> None:
    for name in ("a", "b"):
        cache.put(POD, pod(1, name))

    assert cache.sweep(POD, None, {("ns", "b")}, "10") == 1
    assert cached(cache) is None
    assert cached(cache, "b") == "1"
    assert heard.lines[-1] == "Pod ns/a 1>-"
    assert not cache.put(POD, pod(9)), "news from before the list"


def test_a_list_does_not_bury_what_is_newer_than_itself(cache: Cache) -> None:
    """Our own create was answered while the list, begun before it, was under way."""
    cache.put(POD, pod(11))

    assert cache.sweep(POD, None, set(), "10") == 0
    assert cached(cache) == "11"


def test_a_list_of_one_namespace_leaves_others_alone(cache: Cache) -> None:
    cache.put(POD, pod(1, namespace="ns"))
    cache.put(POD, pod(1, namespace="other"))
    cache.put(DEPLOYMENT, pod(1))

    assert cache.sweep(POD, "ns", set(), "10") == 1
    assert cache.get(POD, "other", "a") is not None
    assert cache.get(DEPLOYMENT, "ns", "a") is not None


NEWS = {
    "born": lambda cache: cache.put(POD, pod(1)),
    "changed": lambda cache: cache.put(POD, pod(2)),
    "deleted": lambda cache: cache.remove(POD, pod(3)),
    "reborn": lambda cache: cache.put(POD, pod(4, uid="u-2")),
    "changed again": lambda cache: cache.put(POD, pod(5, uid="u-2")),
}


@pytest.mark.parametrize("order", list(itertools.permutations(NEWS)), ids=", ".join)
def test_in_every_order_the_last_state_wins(cache: Cache, order: tuple[str, ...]) -> None:
    for each in order:
        NEWS[each](cache)

    assert cached(cache) == "5"


@pytest.mark.parametrize("order", list(itertools.permutations(("born", "changed", "deleted"))), ids=", ".join)
def test_in_every_order_what_was_deleted_last_is_gone(cache: Cache, order: tuple[str, ...]) -> None:
    for each in order:
        NEWS[each](cache)

    assert cached(cache) is None


def test_what_comes_while_a_server_that_was_set_back_is_listed_is_told_of_again(cache: Cache) -> None:
    """An answer to a write of ours, which is newer than the list and not in it."""
    cache.put(POD, pod(80, "a"))
    cache.put(POD, pod(30, "a"), as_of=float("inf"))
    cache.put(POD, pod(43, "x", uid="u-x"))
    cache.sweep(POD, None, {("ns", "a")}, "40", set_back=True)
    assert cache.put(POD, pod(43, "x", uid="u-x"))
    assert [found["metadata"]["resourceVersion"] for found in cache.select(POD, "ns")] == ["30", "43"]


def test_a_list_counts_against_what_was_known_up_to_it(cache: Cache) -> None:
    """A backup may be restored with versions that go on from where they were: its objects keep theirs."""
    cache.put(POD, pod(80, "changed"))
    cache.put(POD, pod(70, "deleted"))
    cache.remove(POD, pod(92, "deleted"))
    cache.put(POD, pod(1001, "newer"))
    for restored in (pod(30, "changed"), pod(20, "deleted"), pod(10, "newer")):
        cache.put(POD, restored, as_of=1000.0)
    versions = {
        found["metadata"]["name"]: found["metadata"]["resourceVersion"] for found in cache.select(POD, "ns")
    }
    assert versions == {"changed": "30", "deleted": "20", "newer": "1001"}


def test_tombstones_are_bounded(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tombstones, "MAX_TOMBSTONES", 2)
    for name in ("a", "b", "c"):
        cache.remove(POD, pod(5, name))

    assert cache.put(POD, pod(1, "a")), "the oldest tombstone was forgotten"
    assert not cache.put(POD, pod(1, "c"))


def test_contents_and_technicalities_are_not_kept(cache: Cache) -> None:
    version = pod(1)
    version["spec"] = {
        "modelRef": {"name": "m"},
        "source": {"inline": [{"path": "p", "content": "x" * 100_000}]},
    }
    version["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    version["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": "x",
        "mine": "y",
    }
    cache.put(CUSTOM_MODEL_VERSION, version)

    found = cache.get(CUSTOM_MODEL_VERSION, "ns", "a")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["annotations"] == {"mine": "y"}
    (file,) = found["spec"]["source"]["inline"]
    assert file["content"].startswith("\0sha256:")
    assert version["spec"]["source"]["inline"][0]["content"] == "x" * 100_000, (
        "the answer itself is untouched"
    )


def test_data_of_config_maps_is_not_kept(cache: Cache) -> None:
    cache.put(CONFIG_MAP, pod(1, data={"a": "b"}, binaryData={"c": "ZA=="}, immutable=True))

    found = cache.get(CONFIG_MAP, "ns", "a")
    assert found is not None
    assert found.keys() == {"apiVersion", "kind", "metadata", "spec", "immutable"}


def test_objects_are_selected_by_all_of_their_labels_in_order_of_name(cache: Cache) -> None:
    of = labels.OF_MODEL
    for name, own in {
        "c": {of: "m", "x": "1"},
        "a": {of: "m", "x": "1"},
        "b": {of: "m"},
        "d": {"x": "1"},
    }.items():
        cache.put(POD, pod(1, name, labels=own))
    cache.put(POD, pod(1, "e", namespace="other", labels={of: "m", "x": "1"}))

    def names(having: dict[str, str] | None) -> list[str]:
        return [found["metadata"]["name"] for found in cache.select(POD, "ns", having)]

    assert names(None) == ["a", "b", "c", "d"]
    assert names({of: "m"}) == ["a", "b", "c"]
    assert names({of: "m", "x": "1"}) == ["a", "c"]
    assert names({"x": "1"}) == ["a", "c", "d"]
    assert names({of: "n"}) == []
    assert names({of: "m", "y": "1"}) == []


def test_indexes_follow_changed_labels_and_deletes(cache: Cache) -> None:
    cache.put(POD, pod(1, labels={labels.OF_MODEL: "m"}))
    cache.put(POD, pod(2, labels={labels.OF_MODEL: "n"}))

    assert cache.select(POD, "ns", {labels.OF_MODEL: "m"}) == []
    assert len(cache.select(POD, "ns", {labels.OF_MODEL: "n"})) == 1
    cache.remove(POD, pod(3))
    assert cache.select(POD, "ns", {labels.OF_MODEL: "n"}) == []
    assert not cache._index, "an index without entries would be a leak"


def test_objects_are_found_by_the_names_in_their_spec(cache: Cache) -> None:
    for name, model in {"v2": "m", "v1": "m", "w": "n"}.items():
        cache.put(CUSTOM_MODEL_VERSION, pod(1, name, spec={"modelRef": {"name": model}}))
    cache.put(MODEL_LEDGER, pod(1, spec={"modelName": "m"}))

    def names(kind: Kind, reference: str, name: str) -> list[str]:
        return [found["metadata"]["name"] for found in cache.referring(kind, "ns", reference, name)]

    assert names(CUSTOM_MODEL_VERSION, "modelRef.name", "m") == ["v1", "v2"]
    assert names(CUSTOM_MODEL_VERSION, "environmentRef.name", "m") == []
    assert names(MODEL_LEDGER, "modelName", "m") == ["a"]


def test_versions_are_found_by_the_key_in_their_status(cache: Cache) -> None:
    spec = {"modelRef": {"name": "m"}}
    cache.put(CUSTOM_MODEL_VERSION, pod(1, "v1", spec=spec, status={"key": "k1"}))
    cache.put(CUSTOM_MODEL_VERSION, pod(2, "v2", spec=spec))

    def names(key: str) -> list[str]:
        return [found["metadata"]["name"] for found in cache.with_key("ns", key)]

    assert (names("k1"), names("k2")) == (["v1"], [])
    cache.put(CUSTOM_MODEL_VERSION, pod(3, "v2", spec=spec, status={"key": "k2"}))
    cache.put(CUSTOM_MODEL_VERSION, pod(4, "v1", spec=spec, status={}))
    assert (names("k1"), names("k2")) == ([], ["v2"])


def test_thousands_of_objects_are_selected_without_looking_at_all(cache: Cache) -> None:
    for number in range(3000):
        cache.put(POD, pod(1, f"p-{number}", labels={labels.OF_MODEL: f"m-{number}"}))

    assert cache._candidates(POD, "ns", {labels.OF_MODEL: "m-7"}) == ["p-7"]
