"""Whose turn it is, as a table: the running one, the gate's in the gate's order, then the oldest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from modelyard.api.model_ledger import TestingFact
from modelyard.api.model_test import ModelTest
from modelyard.roles.turns import Contender, contenders, next_turn, queue
from tests.support.objects import make_test

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)


def rival(text: str) -> Contender:
    """ "b waits 2 gate1": name, what it says, minutes since it was made, place in the gate."""
    name, *said = text.split()
    minutes = next((int(word) for word in said if word.isdigit()), 0)
    place = next((int(word.removeprefix("gate")) for word in said if word.startswith("gate")), None)
    return Contender(
        name=name,
        uid=f"u-{name}",
        created=NOW - timedelta(minutes=minutes),
        place=place,
        waits="waits" in said,
        has_begun="begun" in said,
    )


def held(name: str | None) -> TestingFact | None:
    return TestingFact(name=name, uid=f"u-{name}", since=EARLIER) if name else None


@pytest.mark.parametrize(
    ("holder", "rivals", "expected"),
    [
        (None, [], None),
        (None, ["a waits"], "a"),
        (None, ["a"], None),
        (None, ["b waits 1", "a waits 1"], "a"),
        (None, ["a waits 1", "b waits 2"], "b"),
        (None, ["a waits 9", "g waits gate0"], "g"),
        (None, ["g waits 9 gate1", "h waits gate0"], "h"),
        (None, ["a waits 9", "g gate0"], "a"),
        (None, ["a waits 9", "g waits gate0", "b begun"], "b"),
        ("a", ["a", "b waits 9", "g waits gate0"], "a"),
        ("a", ["b waits"], "b"),
        ("a", [], None),
        ("a", ["b"], None),
    ],
    ids=[
        "nothing there",
        "one that waits",
        "one that cannot start",
        "made at once, by name",
        "the older one",
        "the gate before the oldest",
        "the gate in its own order",
        "a gate's that cannot start holds nobody up",
        "what has begun, when the ledger was lost",
        "a turn stays until it ends",
        "it ended, or is gone: the next",
        "it ended and nobody waits",
        "it ended and nobody can start",
    ],
)
def test_whose_turn_it_is(holder: str | None, rivals: list[str], expected: str | None) -> None:
    turn = next_turn(held(holder), [rival(text) for text in rivals], now=NOW)
    assert (turn and turn.name) == expected
    if turn is not None:
        assert turn.since == (EARLIER if expected == holder else NOW)


def test_one_of_the_same_name_that_was_made_again_waits_for_its_turn_again() -> None:
    before = TestingFact(name="a", uid="u-former", since=EARLIER)
    assert next_turn(before, [rival("a"), rival("b waits")], now=NOW) == TestingFact(
        name="b", uid="u-b", since=NOW
    )


def test_the_queue_is_those_that_wait_in_the_order_of_their_turns() -> None:
    rivals = [rival(text) for text in ("a waits 3", "b 9", "c waits 5", "g waits gate0", "r waits 9")]
    assert queue(held("r"), rivals) == ["u-g", "u-c", "u-a"]


def test_contenders_are_those_that_have_not_ended() -> None:
    queued = {"type": "Ready", "status": "Unknown", "reason": "Queued", "lastTransitionTime": NOW}
    tests = [
        ModelTest.model_validate(make_test(name, status=status, metadata=metadata))
        for name, status, metadata in (
            ("new", {}, {}),
            ("waits", {"conditions": [queued]}, {}),
            ("ended", {"conditions": [queued], "completedAt": NOW}, {}),
            ("going", {}, {"deletionTimestamp": NOW}),
        )
    ]
    new, waits = contenders(tests, {"waits": 1}, {tests[0].metadata.uid})
    assert (new.name, new.place, new.waits, new.has_begun) == ("new", None, False, True)
    assert (waits.name, waits.place, waits.waits, waits.has_begun) == ("waits", 1, True, False)


def test_a_contender_is_known_by_its_uid_and_its_age() -> None:
    created = {"uid": "u-1", "creationTimestamp": "2026-01-01T11:00:00Z"}
    test = ModelTest.model_validate(make_test("a", metadata=created))

    assert contenders([test], {"a": 2}, {"u-1"}) == (
        Contender("a", "u-1", NOW - timedelta(hours=1), place=2, waits=False, has_begun=True),
    )
