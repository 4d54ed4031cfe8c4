"""Objects that nobody asks for are kept small, and come back as they were."""

from __future__ import annotations

import random
import sys
import tracemalloc
from typing import Any

import pytest

from modelyard.api.kinds import POD, SERVICE
from modelyard.kube.shelf import Index, Shelf

Manifest = dict[str, Any]


def pod(name: str, version: int = 1, **more: Any) -> Manifest:
    return {"metadata": {"name": name, "uid": f"u-{name}", "resourceVersion": str(version)}, **more}


def awake(shelf: Shelf) -> list[str]:
    """Names of the objects that are kept as they are, read without waking one."""
    found = shelf._entries[POD, "ns"]
    return sorted(name for name, entry in found.items() if entry.awake is not None)


def test_an_object_that_slept_is_equal_to_what_was_put() -> None:
    shelf = Shelf(awake=2)
    objects = [pod(f"p{n}", spec={"a": [1, 2.5, None, "é", {}], "large": 2**63 - 1}) for n in range(10)]
    for manifest in objects:
        shelf.put(POD, "ns", manifest["metadata"]["name"], manifest)

    assert len(awake(shelf)) == 2
    assert [shelf.get(POD, "ns", f"p{n}") for n in range(10)] == objects
    assert len(awake(shelf)) == 2


def test_what_is_asked_for_stays_awake() -> None:
    shelf = Shelf(awake=3)
    for n in range(3):
        shelf.put(POD, "ns", f"p{n}", pod(f"p{n}"))
    for n in range(3, 20):
        shelf.get(POD, "ns", "p0")
        shelf.put(POD, "ns", f"p{n}", pod(f"p{n}"))

    assert "p0" in awake(shelf)


def test_an_object_is_the_same_object_while_it_is_awake() -> None:
    shelf = Shelf()
    shelf.put(POD, "ns", "p", pod("p"))

    assert shelf.get(POD, "ns", "p") is shelf.get(POD, "ns", "p")


def test_an_object_that_is_put_again_wakes_and_one_that_is_dropped_is_gone() -> None:
    shelf = Shelf(awake=1)
    shelf.put(POD, "ns", "a", pod("a", 1))
    shelf.put(POD, "ns", "b", pod("b", 1))
    shelf.put(POD, "ns", "a", pod("a", 2))

    assert shelf.get(POD, "ns", "a") == pod("a", 2)
    shelf.drop(POD, "ns", "a")
    assert shelf.get(POD, "ns", "a") is None
    assert (shelf.names(POD, "ns"), shelf.count(POD)) == (["b"], 1)
    shelf.drop(POD, "ns", "b")
    assert (shelf.namespaces(POD), shelf.count(POD)) == ([], 0)


def test_states_are_told_without_waking() -> None:
    shelf = Shelf(awake=1)
    for n in range(5):
        shelf.put(POD, "ns", f"p{n}", pod(f"p{n}", n))
    before = awake(shelf)

    assert list(shelf.states(POD, "ns")) == [(f"p{n}", f"u-p{n}", str(n)) for n in range(5)]
    assert list(shelf.states(SERVICE, "ns")) == []
    assert awake(shelf) == before


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_done_it_holds_what_a_dictionary_would(seed: int) -> None:
    dice, plain = random.Random(seed), dict[str, Manifest]()
    shelf = Shelf(awake=dice.choice((1, 3, 8)))
    for step in range(400):
        name = f"p{dice.randrange(20)}"
        match dice.randrange(4):
            case 0:
                plain[name] = pod(name, step)
                shelf.put(POD, "ns", name, plain[name])
            case 1:
                plain.pop(name, None)
                shelf.drop(POD, "ns", name)
            case _:
                assert shelf.get(POD, "ns", name) == plain.get(name)
        assert shelf.count(POD) == len(plain)
        assert len(awake(shelf)) <= 8
    assert shelf.names(POD, "ns") == sorted(plain)
    assert [shelf.get(POD, "ns", name) for name in sorted(plain)] == [plain[name] for name in sorted(plain)]


def test_an_index_holds_one_name_or_many_and_nothing_for_none() -> None:
    index, key = Index(), (POD, "ns", "field", "value")
    assert (index.names(key), index.count(key), len(index)) == ([], 0, 0)
    index.add(key, "b")
    index.add(key, "b")
    assert (index.names(key), index.count(key)) == (["b"], 1)
    index.add(key, "a")
    index.add(key, "c")
    assert (index.names(key), index.count(key)) == (["a", "b", "c"], 3)
    for name in ("b", "x", "c"):
        index.discard(key, name)
    assert index.names(key) == ["a"]
    index.discard(key, "x")
    index.discard(key, "a")
    index.discard(key, "a")
    assert (index.names(key), len(index)) == ([], 0)


def test_an_index_of_single_names_takes_no_set_for_each() -> None:
    index = Index()
    index.add((POD, "ns", "field", "value"), "a")

    assert sys.getsizeof(next(iter(index._names.values()))) < sys.getsizeof(set())


def test_what_sleeps_takes_its_own_length_and_no_room_to_grow() -> None:
    objects = [pod(f"p{n}", spec={"a": "b" * 100}) for n in range(500)]
    shelf = Shelf(awake=1)
    tracemalloc.start()
    try:
        for manifest in objects:
            shelf.put(POD, "ns", manifest["metadata"]["name"], manifest)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert taken / len(objects) < 1000, "JSON of 200 bytes, and its entry"
