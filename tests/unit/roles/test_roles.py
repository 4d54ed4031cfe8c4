"""Who serves and who is next: every constellation that a ledger can have."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from modelyard.api.columns import InputColumn
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.roles.roles import (
    DRAIN,
    Role,
    candidate,
    columns_of,
    drain_ends,
    fact_of,
    is_draining,
    is_passed,
    is_refused,
    may_promote,
    newest,
    roles,
)
from tests.unit.roles.facts import GATE, NOW, OTHER_GATE, key, ledger, version

U, C, S, D, R = Role.UNLABELLED, Role.CANDIDATE, Role.SERVING, Role.SUPERSEDED, Role.REJECTED


def _roles(facts: ModelLedgerSpec, *live: str) -> dict[str, Role]:
    """Roles by label."""
    found = roles(gate=GATE, live=[key(label) for label in live], ledger=facts)
    return {name.removeprefix("k"): role for name, role in found.items()}


@pytest.mark.parametrize(
    ("facts", "live", "expected"),
    [
        (ledger(), (), {}),
        (ledger(), ("1.0",), {"1.0": U}),
        (ledger("1.0"), ("1.0",), {"1.0": C}),
        (ledger("1.0 failed"), ("1.0",), {"1.0": R}),
        (ledger("1.0 passed"), ("1.0",), {"1.0": C}),
        (ledger("1.0 passed", serving="1.0"), ("1.0",), {"1.0": S}),
        (ledger("1.0", "2.0"), ("1.0", "2.0"), {"1.0": D, "2.0": C}),
        (ledger("1.0", "2.0 failed"), ("1.0", "2.0"), {"1.0": C, "2.0": R}),
        (ledger("1.0 failed", "2.0 failed"), ("1.0", "2.0"), {"1.0": R, "2.0": R}),
        (ledger("1.0 passed", "2.0", serving="1.0"), ("1.0", "2.0"), {"1.0": S, "2.0": C}),
        (ledger("1.0 passed", "2.0 failed", serving="1.0"), ("1.0", "2.0"), {"1.0": S, "2.0": R}),
        (
            ledger("1.0 passed", "2.0", "3.0 failed", serving="1.0"),
            ("1.0", "2.0", "3.0"),
            {"1.0": S, "2.0": C, "3.0": R},
        ),
        (
            ledger("1.0 passed", "2.0 passed", serving="2.0", previous="1.0"),
            ("1.0", "2.0"),
            {"1.0": D, "2.0": S},
        ),
        (ledger("1.0", "2.0 passed", serving="2.0"), ("1.0", "2.0"), {"1.0": D, "2.0": S}),
        (ledger("1.9 passed", "1.10", serving="1.9"), ("1.9", "1.10"), {"1.9": S, "1.10": C}),
        (ledger("1.0 passed", serving="1.0"), ("1.0", "2.0"), {"1.0": S, "2.0": U}),
    ],
    ids=lambda value: None,
)
def test_every_version_has_one_role(
    facts: ModelLedgerSpec, live: tuple[str, ...], expected: dict[str, Role]
) -> None:
    assert _roles(facts, *live) == expected


@pytest.mark.parametrize(
    ("facts", "live", "expected"),
    [
        (ledger("1.0 passed", serving="1.0"), (), {"1.0": S}),
        (ledger("1.0 passed", "2.0", serving="1.0"), ("2.0",), {"1.0": S, "2.0": C}),
        (ledger("1.0 passed", "2.0 failed", serving="1.0"), ("2.0",), {"1.0": S, "2.0": R}),
        (
            ledger("1.0 passed", "2.0 passed", serving="2.0", previous="1.0"),
            ("1.0",),
            {"1.0": C, "2.0": S},
        ),
        (ledger("1.0", "2.0 passed", serving="2.0"), ("1.0",), {"1.0": C, "2.0": S}),
        (ledger("1.0 failed", "2.0 passed", serving="2.0"), ("1.0",), {"1.0": R, "2.0": S}),
        (
            ledger("1.0", "2.0", "3.0 passed", serving="3.0"),
            ("1.0", "2.0"),
            {"1.0": D, "2.0": C, "3.0": S},
        ),
    ],
    ids=[
        "none is left",
        "replaced by a higher one",
        "replaced by one that is refused",
        "taken back in Git",
        "a lower one that never ran",
        "a lower one that was refused",
        "of several lower ones the newest",
    ],
)
def test_what_serves_goes_on_without_its_object_until_another_takes_over(
    facts: ModelLedgerSpec, live: tuple[str, ...], expected: dict[str, Role]
) -> None:
    assert _roles(facts, *live) == expected


def test_a_refusal_holds_for_the_gate_that_spoke_it() -> None:
    facts = ledger("1.0 failed another")
    assert _roles(facts, "1.0") == {"1.0": C}
    assert is_refused(facts.versions[0], "another")
    assert not is_refused(facts.versions[0], GATE)
    assert not is_refused(version("1.0"), GATE)
    assert not is_refused(version("1.0 passed"), GATE)


def test_deleted_versions_have_no_role_and_are_no_candidates() -> None:
    assert _roles(ledger("1.0", "2.0", "3.0"), "1.0") == {"1.0": C}


def test_there_is_never_more_than_one_candidate_and_one_that_serves() -> None:
    """Over every ledger of three versions: any verdicts, any that serves, any objects deleted."""
    states = ["", " passed", " failed", " failed another"]
    seen = 0
    for verdicts in itertools.product(states, repeat=3):
        texts = [f"{number}.0{state}" for number, state in enumerate(verdicts, 1)]
        for serving in (None, "1.0", "2.0", "3.0"):
            facts = ledger(*texts, serving=serving)
            for count in range(4):
                for live in itertools.combinations(("1.0", "2.0", "3.0"), count):
                    found = _roles(facts, *live)
                    held = list(found.values())
                    assert held.count(C) <= 1
                    assert held.count(S) == (serving is not None)
                    assert found.keys() == {*live, *([serving] if serving else [])}
                    next_up = candidate(gate=GATE, live=[key(label) for label in live], ledger=facts)
                    assert [key(label) for label, role in found.items() if role is C] == (
                        [next_up] if next_up else []
                    )
                    seen += 1
    assert seen == 4**3 * 4 * 8


def test_the_newest_is_the_declared_one_with_the_highest_label() -> None:
    facts = ledger("1.9", "1.10", "2.0")
    assert newest(live=[key("1.9"), key("1.10")], ledger=facts) == version("1.10")
    assert newest(live=[], ledger=facts) is None


# --- draining --------------------------------------------------------------------------------------------------

SWITCHED = ledger("1.0", "2.0", serving="2.0", previous="1.0")
NOT_YET = ledger("1.0", "2.0", serving="2.0", previous="1.0", switched=None)


@pytest.mark.parametrize(
    ("facts", "label", "now", "drains"),
    [
        (SWITCHED, "1.0", NOW, True),
        (SWITCHED, "1.0", NOW + DRAIN - timedelta(seconds=1), True),
        (SWITCHED, "1.0", NOW + DRAIN, False),
        (SWITCHED, "2.0", NOW, False),
        (SWITCHED, "3.0", NOW, False),
        (NOT_YET, "1.0", NOW + timedelta(days=1), True),
        (ledger("1.0"), "1.0", NOW, False),
        (ledger("1.0", serving="1.0"), "1.0", NOW, False),
        (ledger("1.0", serving="1.0", previous="1.0"), "1.0", NOW, False),
    ],
)
def test_what_served_before_drains_for_half_a_minute_after_the_switch(
    facts: ModelLedgerSpec, label: str, now: datetime, drains: bool
) -> None:
    assert is_draining(facts, key(label), now) is drains


def test_when_the_drain_ends() -> None:
    assert drain_ends(SWITCHED) == NOW + timedelta(seconds=30)
    assert drain_ends(NOT_YET) is None
    assert drain_ends(ledger()) is None


def test_what_is_known_of_a_version() -> None:
    assert fact_of(ledger("1.0", "2.0"), key("2.0")) == version("2.0")
    assert fact_of(ledger("1.0"), "unknown") is None


@pytest.mark.parametrize(
    ("said", "template", "gate", "passed", "promoted"),
    [
        ("1.0", "t", GATE, False, False),
        ("1.0 passed", "t", GATE, True, True),
        ("1.0 failed", "t", GATE, False, False),
        ("1.0 passed", "another", GATE, False, False),
        ("1.0 passed another", "t", GATE, True, False),
        ("1.0 passed another", "t", OTHER_GATE, True, True),
        ("1.0 passed another", "another", OTHER_GATE, False, False),
    ],
)
def test_only_what_passed_this_gate_with_this_template_is_promoted(
    said: str, template: str, gate: str, passed: bool, promoted: bool
) -> None:
    assert is_passed(version(said), template) is passed
    assert may_promote(version(said), template, gate) is promoted


@pytest.mark.parametrize(
    ("said", "template", "known"),
    [
        ("1.0 passed", "t", True),
        ("1.0 passed another", "t", True),
        ("1.0 passed", "another", False),
        ("1.0 failed", "t", False),
        ("1.0", "t", False),
    ],
)
def test_columns_are_known_of_exactly_the_template_that_passed_with_them(
    said: str, template: str, known: bool
) -> None:
    columns, fact = [InputColumn(name="x", datatype="FP64")], version(said)
    if fact.verdict:
        verdict = fact.verdict.model_copy(update={"columns": columns})
        fact = fact.model_copy(update={"verdict": verdict})
    assert list(columns_of(fact, template)) == (columns if known else [])
    assert list(columns_of(None, template)) == []
