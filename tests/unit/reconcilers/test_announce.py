"""Events of a model: what became a fact in this pass, said once."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.model_ledger import ModelLedgerSpec, TestFact, VersionFact
from modelyard.reconcilers.custom_model.announce import announcements
from tests.unit.roles.facts import ledger, verdict, version

REFUSED = verdict("failed").model_copy(
    update={
        "tests": [
            TestFact(test="a", result="Failed", message="row 2"),
            TestFact(test="b", result="Passed"),
            TestFact(test="c", result="Failed", message="slow", required=False),
        ]
    }
)


def _refused(label: str) -> VersionFact:
    return version(label).model_copy(update={"verdict": REFUSED})


def _with(facts: ModelLedgerSpec, *versions: VersionFact) -> ModelLedgerSpec:
    return facts.model_copy(update={"versions": list(versions)})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (ledger(), ledger("1.0"), []),
        (ledger("1.0"), ledger("1.0"), []),
        (ledger("1.0 passed", serving="1.0"), ledger("1.0 passed", serving="1.0"), []),
        (
            ledger("1.0"),
            ledger("1.0 passed"),
            [("TestsPassed", 'version "hello-1.0" (1.0) passed its tests', "Normal")],
        ),
        (
            ledger("1.0 failed"),
            ledger("1.0 passed another"),
            [("TestsPassed", 'version "hello-1.0" (1.0) passed its tests', "Normal")],
        ),
        (
            ledger("1.0"),
            _with(ledger("1.0"), _refused("1.0")),
            [("TestsFailed", 'version "hello-1.0" (1.0) is refused: test "a": row 2', "Warning")],
        ),
        (
            ledger("1.0 passed"),
            ledger("1.0 passed", serving="1.0"),
            [("Promoted", 'version "hello-1.0" (1.0) serves', "Normal")],
        ),
        (
            ledger("1.0 passed", "2.0 passed", serving="1.0"),
            ledger("1.0 passed", "2.0 passed", serving="2.0", previous="1.0"),
            [
                (
                    "Promoted",
                    'version "hello-2.0" (2.0) serves and takes over from "hello-1.0" (1.0)',
                    "Normal",
                )
            ],
        ),
        (
            ledger("2.0", serving="2.0", previous="1.0", switched=None),
            ledger("2.0", serving="2.0", previous="1.0"),
            [],
        ),
    ],
    ids=[
        "a label is no event",
        "nothing",
        "nothing while it serves",
        "passed",
        "passed another gate",
        "refused, by what was required",
        "first promotion",
        "promotion",
        "a switch is no event",
    ],
)
def test_what_became_a_fact_is_said(
    before: ModelLedgerSpec, after: ModelLedgerSpec, said: list[tuple[Any, ...]]
) -> None:
    assert list(announcements(before, after)) == said
