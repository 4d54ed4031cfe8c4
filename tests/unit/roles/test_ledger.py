"""How a ledger grows: labels are given once, verdicts and promotions are noted, little is forgotten."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from modelyard.api.columns import InputColumn
from modelyard.api.model_ledger import ModelLedgerSpec, TestFact, TestingFact
from modelyard.roles.ledger import (
    DELETED_KEPT,
    MESSAGES_KEPT,
    PROMOTIONS_KEPT,
    Declared,
    label_conflict,
    rebuilt,
    with_brief_verdicts,
    with_labels,
    with_promotion,
    with_switch,
    with_turn,
    with_verdict,
    without_forgotten,
)
from tests.unit.roles.facts import NOW, key, ledger, verdict, version

EMPTY = ModelLedgerSpec(model_name="hello")


def declared(name: str, label: str | None = None, *, major: bool = True, age: int = 0) -> Declared:
    """A version object; its key is its name, and it was made `age` seconds ago."""
    return Declared(name, name, label, major, NOW - timedelta(seconds=age))


def given(facts: ModelLedgerSpec) -> dict[str, str]:
    """Name to label."""
    return {fact.name: fact.label for fact in facts.versions}


# --- labels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("major", [True, False])
def test_the_first_version_is_one_point_zero_whatever_its_flag(major: bool) -> None:
    after = with_labels(EMPTY, [declared("a", major=major)])
    assert (given(after), after.highest_label) == ({"a": "1.0"}, "1.0")


def test_labels_follow_creation_and_names_where_that_is_equal() -> None:
    versions = [declared("c", age=5), declared("b", age=9), declared("a", age=5)]
    for order in itertools.permutations(versions):
        assert given(with_labels(EMPTY, order)) == {"b": "1.0", "a": "2.0", "c": "3.0"}


def test_explicit_labels_come_first_and_others_go_above_them() -> None:
    versions = [declared("old", age=99), declared("asked", "4.2"), declared("minor", major=False, age=1)]
    for order in itertools.permutations(versions):
        assert given(with_labels(EMPTY, order)) == {"asked": "4.2", "old": "5.0", "minor": "5.1"}


def test_an_explicit_label_may_be_below_what_was_given() -> None:
    after = with_labels(ledger("3.0"), [declared("a", "1.5"), declared("b")])
    assert (given(after), after.highest_label) == (
        {"hello-3.0": "3.0", "a": "1.5", "b": "4.0"},
        "4.0",
    )
    assert [fact.label for fact in after.versions] == ["1.5", "3.0", "4.0"], "in order of labels"


def test_who_has_a_label_keeps_it() -> None:
    once = with_labels(EMPTY, [declared("a"), declared("b", age=-1)])
    assert with_labels(once, [declared("b", age=99), declared("a")]) == once


def test_of_two_that_ask_for_one_label_the_older_gets_it() -> None:
    versions = [declared("late", "1.0", age=1), declared("early", "1.0", age=2)]
    after = with_labels(EMPTY, versions)
    assert given(after) == {"early": "1.0"}
    assert label_conflict(after, versions[0]) == (
        'spec.label "1.0" belongs to version "early" of this model; a label is never given to different content '
        "twice: choose another, or leave it out"
    )


def test_an_earlier_version_of_the_same_name_is_not_named_as_another() -> None:
    before = ledger("1.0")
    again = Declared("other-key", "hello-1.0", "1.0", True, NOW)
    assert label_conflict(before, again) == (
        'spec.label "1.0" was given to an earlier version of this name with other content; a label is never given '
        "twice: choose another, or leave it out"
    )
    assert with_labels(before, [again]) == before


def test_the_same_content_under_the_same_name_gets_its_label_back() -> None:
    before = ledger("1.0 passed", "2.0")
    again = Declared(key("1.0"), "hello-1.0", "1.0", True, NOW)
    assert label_conflict(before, again) is None
    assert with_labels(before, [again]) == before


@pytest.mark.parametrize(
    ("label", "conflicts"), [("1.0", True), ("2.9", True), ("3.0", True), ("3.1", False), (None, False)]
)
def test_what_was_forgotten_is_given_to_nobody(label: str | None, conflicts: bool) -> None:
    before = ledger("5.0").model_copy(update={"highest_forgotten_label": "3.0"})
    said = label_conflict(before, declared("a", label))
    assert (said is not None) == conflicts
    if said:
        assert said == (
            f'spec.label "{label}" is not above "3.0", up to which labels were given to versions that are deleted; '
            "choose a higher one, or leave it out"
        )


def test_the_highest_label_is_not_given_again_after_its_version_is_gone() -> None:
    before = ModelLedgerSpec(model_name="hello", highest_label="7.3", highest_forgotten_label="7.3")
    assert given(with_labels(before, [declared("a")])) == {"a": "8.0"}
    assert given(with_labels(before, [declared("a", major=False)])) == {"a": "7.4"}


def test_no_label_is_ever_given_twice_through_a_long_life() -> None:
    ever: dict[str, str] = {}
    facts = EMPTY
    for number in range(60):
        names = [f"v{n}" for n in range(max(0, number - 3), number + 1)]
        facts = with_labels(facts, [declared(name, major=number % 3 == 0) for name in names])
        facts = without_forgotten(facts, names)
        for fact in facts.versions:
            assert ever.setdefault(fact.label, fact.key) == fact.key
    assert len(ever) == 60
    assert len(facts.versions) == DELETED_KEPT + 4


# --- what is forgotten -----------------------------------------------------------------------------------------


def _many(count: int) -> list[str]:
    return [f"{number}.0" for number in range(1, count + 1)]


def test_of_deleted_versions_the_last_few_stay() -> None:
    before = ledger(*_many(DELETED_KEPT + 3))
    after = without_forgotten(before, [])
    assert [fact.label for fact in after.versions] == _many(DELETED_KEPT + 3)[3:]
    assert (after.highest_forgotten_label, after.highest_label) == ("3.0", f"{DELETED_KEPT + 3}.0")


def test_few_enough_deleted_versions_all_stay() -> None:
    before = ledger(*_many(DELETED_KEPT))
    assert without_forgotten(before, []) is before


def test_what_is_declared_serves_or_drains_is_never_forgotten() -> None:
    before = ledger(*_many(DELETED_KEPT + 4), serving="2.0", previous="1.0")
    after = without_forgotten(before, [key("3.0")])
    assert [fact.label for fact in after.versions][:3] == ["1.0", "2.0", "3.0"]
    assert after.highest_forgotten_label == "4.0"


def test_the_high_water_mark_never_falls() -> None:
    before = ledger(*_many(DELETED_KEPT + 1)).model_copy(update={"highest_forgotten_label": "0.9"})
    assert without_forgotten(before, []).highest_forgotten_label == "1.0"
    before = before.model_copy(update={"highest_forgotten_label": "1.1"})
    assert without_forgotten(before, []).highest_forgotten_label == "1.1"


# --- verdicts and promotions -----------------------------------------------------------------------------------


def test_a_verdict_is_noted_on_its_version_alone_and_the_latest_counts() -> None:
    before = ledger("1.0 failed", "2.0")
    after = with_verdict(before, key("1.0"), verdict("passed", "another"))
    assert after == ledger("1.0 passed another", "2.0")


def test_the_first_promotion_has_nobody_before_it() -> None:
    after = with_promotion(ledger("1.0 passed"), version("1.0 passed"), now=NOW)
    assert after.serving == ledger("1.0", serving="1.0", switched=None).serving
    assert [p.to_json() for p in after.promotions] == [
        {"key": key("1.0"), "label": "1.0", "at": "2026-01-01T12:00:00Z", "reason": "TestsPassed"}
    ]


def test_a_promotion_remembers_what_served_before_and_waits_for_its_switch() -> None:
    before = ledger("1.0 passed", "2.0 passed", serving="1.0")
    after = with_promotion(before, version("2.0 passed"), now=NOW)
    assert after.serving == ledger("2.0", serving="2.0", previous="1.0", switched=None).serving
    assert after.promotions[-1].from_key == key("1.0")
    assert after.versions == before.versions


def test_a_promotion_after_a_switch_that_was_never_seen_keeps_what_callers_are_with() -> None:
    before = ledger("1.0 passed", "2.0 passed", "3.0 passed", serving="2.0", previous="1.0", switched=None)
    after = with_promotion(before, version("3.0 passed"), now=NOW)
    assert after.serving == ledger("3.0", serving="3.0", previous="1.0", switched=None).serving
    assert after.promotions[-1].from_key == key("2.0")


def test_a_promotion_after_a_first_one_that_was_never_seen_comes_after_that() -> None:
    before = ledger("1.0 passed", "2.0 passed", serving="1.0", switched=None)
    after = with_promotion(before, version("2.0 passed"), now=NOW)
    assert after.serving == ledger("2.0", serving="2.0", previous="1.0", switched=None).serving


def test_the_last_twenty_promotions_are_kept() -> None:
    facts = ledger("1.0 passed", "2.0 passed")
    for number in range(PROMOTIONS_KEPT + 5):
        facts = with_promotion(facts, version(f"{number % 2 + 1}.0"), now=NOW + timedelta(seconds=number))
    assert len(facts.promotions) == PROMOTIONS_KEPT
    assert facts.promotions[0].at == NOW + timedelta(seconds=5)
    assert facts.promotions[-1].at == NOW + timedelta(seconds=PROMOTIONS_KEPT + 4)


def test_a_switch_is_noted_with_its_time() -> None:
    before = ledger("2.0", serving="2.0", previous="1.0", switched=None)
    assert with_switch(before, now=NOW) == ledger("2.0", serving="2.0", previous="1.0")
    assert with_switch(EMPTY, now=NOW) == EMPTY


def test_a_ledger_survives_the_way_to_the_server_and_back() -> None:
    facts = with_promotion(ledger("1.0 passed", "2.0 failed another"), version("1.0 passed"), now=NOW)
    assert ModelLedgerSpec.model_validate(facts.to_json()) == facts


def test_a_ledger_of_many_refusals_stays_small() -> None:
    """An object may hold 1.5 MiB at most: old verdicts stay, their messages do not."""
    message = "m" * 1000
    failed = [TestFact(test=f"t{n}", result="Failed", message=message) for n in range(4)]
    spoken = verdict("failed").model_copy(update={"tests": failed})
    facts = [version(f"{n}.0").model_copy(update={"verdict": spoken}) for n in range(1, 301)]
    brief = with_brief_verdicts(ModelLedgerSpec(model_name="hello", versions=facts))
    messages = [fact.verdict.tests[0].message for fact in brief.versions if fact.verdict]
    assert messages == [""] * (300 - MESSAGES_KEPT) + [message] * MESSAGES_KEPT
    assert len(brief.model_dump_json()) < 512 * 1024
    assert with_brief_verdicts(brief) == brief


@pytest.mark.parametrize("number", [1, 150, 300 - MESSAGES_KEPT])
def test_old_versions_keep_their_columns_only_while_they_are_called(number: int) -> None:
    spoken = verdict("passed").model_copy(update={"columns": [InputColumn(name="x", datatype="FP64")]})
    facts = [version(f"{n}.0").model_copy(update={"verdict": spoken}) for n in range(1, 301)]
    serving = ledger(f"{number}.0", serving=f"{number}.0", previous="2.0").serving
    brief = with_brief_verdicts(ModelLedgerSpec(model_name="hello", versions=facts, serving=serving))
    known = [fact.label for fact in brief.versions if fact.verdict and fact.verdict.columns]
    newest = [f"{n}.0" for n in range(301 - MESSAGES_KEPT, 301)]
    assert sorted(known) == sorted({f"{number}.0", "2.0", *newest})
    assert with_brief_verdicts(brief) == brief


# --- a ledger that is lost -------------------------------------------------------------------------------------


def test_a_new_model_has_an_empty_ledger() -> None:
    assert rebuilt("hello", [], None, now=NOW) == EMPTY
    assert rebuilt("hello", [], key("1.0"), now=NOW) == EMPTY


def test_labels_and_what_serves_are_read_from_what_is_left() -> None:
    known = [version("10.0"), version("9.0")]
    assert rebuilt("hello", known, key("9.0"), now=NOW) == ledger("9.0", "10.0", serving="9.0")
    assert rebuilt("hello", known, "none", now=NOW) == ledger("9.0", "10.0")


def test_whose_turn_it_is_is_noted_and_forgotten() -> None:
    testing = TestingFact(name="a", uid="u-a", since=NOW)

    noted = with_turn(ledger("1.0"), testing)
    assert noted.testing == testing
    assert noted.versions == ledger("1.0").versions
    assert with_turn(noted, None).testing is None
