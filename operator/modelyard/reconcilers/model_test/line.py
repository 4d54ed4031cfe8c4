"""The place of a test among those of its model that wait for their turn. Pure."""

from __future__ import annotations

from dataclasses import replace

from modelyard.reconcilers.model_test.facts import Facts
from modelyard.roles.turns import queue


def place(facts: Facts) -> int:
    """1 for the next one."""
    return _line(facts).index(facts.owner.uid) + 1


def in_line(facts: Facts) -> str:
    """The place, of how many, and what runs meanwhile."""
    assert facts.model is not None
    tests = f'waiting tests of model "{facts.model.metadata.name}"'
    running = f'; test "{facts.testing.name}" runs' if facts.testing else ""
    return f"{ordinal(place(facts))} of {len(_line(facts))} {tests}{running}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _line(facts: Facts) -> list[str]:
    """uids of the tests that wait, this one among them whether it said so before or not."""
    rivals = [replace(rival, waits=True) if rival.uid == facts.owner.uid else rival for rival in facts.rivals]
    return queue(facts.testing, rivals)
