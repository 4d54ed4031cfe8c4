"""Whose turn it is: one test of a model runs at a time, and those of the gate go first.

    a test says that it waits      status: Ready Unknown/Queued
    the model's pass gives turns   ledger: testing
    the test whose turn it is runs, and nothing else starts
    it says that it has ended      status: completedAt
    the next one gets its turn     ledger: testing, in the same write

Only the model's pass gives turns, and a turn ends only with the word of its test, or when that test is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from modelyard.api.model_ledger import TestingFact
from modelyard.api.model_test import ModelTest
from modelyard.api.reasons import ConditionType, Reason


@dataclass(frozen=True, slots=True)
class Contender:
    """A test that has not ended, as far as turns are concerned."""

    name: str
    uid: str
    created: datetime
    place: int | None = None
    """Its place in the gate; None for a test by hand."""

    waits: bool = False
    """Whether it says that it could start and only waits for its turn."""

    has_begun: bool = False
    """Whether it has a Job or a copy already: a ledger that was lost does not know whose turn it was."""


def contenders(
    tests: Iterable[ModelTest], places: Mapping[str, int], begun: Collection[str] = ()
) -> tuple[Contender, ...]:
    """Of the tests of one model those that have not ended; `begun` holds the uids of those that run something."""
    return tuple(
        Contender(
            name=test.metadata.name,
            uid=test.metadata.uid,
            created=test.metadata.creation_timestamp,
            place=places.get(test.metadata.name),
            waits=is_queued(test),
            has_begun=test.metadata.uid in begun,
        )
        for test in tests
        if test.status.completed_at is None and test.metadata.deletion_timestamp is None
    )


def is_queued(test: ModelTest) -> bool:
    """Whether a test said that nothing but its turn is missing."""
    said = (c.reason for c in test.status.conditions if c.type == ConditionType.READY)
    return next(said, None) == Reason.QUEUED


def next_turn(held: TestingFact | None, rivals: Sequence[Contender], *, now: datetime) -> TestingFact | None:
    """Whose turn it is now: the one that has it, else the first of those that can start."""
    if held and any(rival.uid == held.uid for rival in rivals):
        return held
    ready = [rival for rival in rivals if rival.waits or rival.has_begun]
    first = min(ready, key=_order, default=None)
    return TestingFact(name=first.name, uid=first.uid, since=now) if first else None


def queue(held: TestingFact | None, rivals: Iterable[Contender]) -> list[str]:
    """uids of the tests that wait for their turn, the next one first."""
    waiting = [rival for rival in rivals if rival.waits and not (held and rival.uid == held.uid)]
    return [rival.uid for rival in sorted(waiting, key=_order)]


def _order(rival: Contender) -> tuple[bool, bool, int, datetime, str]:
    return (not rival.has_begun, rival.place is None, rival.place or 0, rival.created, rival.name)
