"""Which ended tests of a gate are deleted: the oldest of versions that nobody needs, and never more than that."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.custom_model import Gate
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.reconcilers.custom_model.history import past_limits
from modelyard.roles.roles import Role
from tests.support.objects import make_gate, make_test

VERDICT = {
    "result": "Passed",
    "at": "2026-01-01T00:00:00Z",
    "gate": "g",
    "image": "i",
    "codeDigest": "c",
    "templateHash": "t",
}

OLD = {f"v{number}": Role.SUPERSEDED for number in range(10)}


def gate(good: int, bad: int) -> Gate:
    wire = {**make_gate("rows"), "successfulTestsHistoryLimit": good, "failedTestsHistoryLimit": bad}
    return Gate.model_validate(wire)


def ended(name: str, minute: int, version: str = "v0", word: str = "succeeded") -> ModelTest:
    status = {"overallStatus": word, "completedAt": f"2026-01-01T00:{minute:02}:00Z"}
    metadata = {"labels": {labels.OF_VERSION: version}}
    return ModelTest.model_validate(make_test(name, metadata=metadata, status=status))


def ledger(*judged: str, unjudged: tuple[str, ...] = ()) -> ModelLedgerSpec:
    facts: list[dict[str, Any]] = [
        {"key": key, "name": key, "label": "1.0", "verdict": VERDICT} for key in judged
    ]
    facts += [{"key": key, "name": key, "label": "1.0"} for key in unjudged]
    return ModelLedgerSpec.model_validate({"modelName": "hello", "versions": facts})


def deleted(tests: list[ModelTest], of: Gate | None, **roles: Role) -> list[str]:
    known = OLD | roles
    found = past_limits(tests, known, ledger(*known), of)
    return [test.metadata.name for test in found]


def test_the_newest_stay_and_the_oldest_go_first() -> None:
    tests = [ended("c", 3), ended("a", 1), ended("d", 4), ended("b", 2)]

    assert deleted(tests, gate(2, 5)) == ["a", "b"]


def test_limits_count_over_all_old_versions_of_the_model_together() -> None:
    tests = [ended("a", 1, "v1"), ended("b", 2, "v2"), ended("c", 3, "v3")]

    assert deleted(tests, gate(1, 5)) == ["a", "b"]


@pytest.mark.parametrize("word", ["failed", "canceled", "aborted"])
def test_what_did_not_succeed_has_a_limit_of_its_own(word: str) -> None:
    tests = [ended("bad-1", 1, word=word), ended("bad-2", 2, word=word), ended("good", 0)]

    assert deleted(tests, gate(1, 1)) == ["bad-1"]
    assert deleted(tests, gate(0, 2)) == ["good"]


def test_a_warning_found_nothing_wrong() -> None:
    assert deleted([ended("a", 1, word="warning")], gate(0, 5)) == ["a"]


def test_those_that_ended_together_go_by_name() -> None:
    assert deleted([ended("b", 1), ended("a", 1), ended("c", 1)], gate(1, 5)) == ["a", "b"]


@pytest.mark.parametrize("role", [Role.SERVING, Role.CANDIDATE, Role.UNLABELLED])
def test_versions_that_are_needed_keep_all_their_tests(role: Role) -> None:
    assert deleted([ended("a", 1, "needed"), ended("b", 2)], gate(0, 0), needed=role) == ["b"]


def test_tests_of_needed_versions_do_not_count() -> None:
    tests = [ended("old", 1), *(ended(f"new-{minute}", minute, "needed") for minute in range(2, 9))]

    assert deleted(tests, gate(1, 1), needed=Role.SERVING) == []


@pytest.mark.parametrize("role", [Role.SUPERSEDED, Role.REJECTED])
def test_a_test_whose_verdict_is_not_in_the_ledger_stays(role: Role) -> None:
    facts = ledger(unjudged=("v0",))

    assert past_limits([ended("a", 1)], {"v0": role}, facts, gate(0, 0)) == []


def test_a_test_that_runs_stays() -> None:
    metadata = {"labels": {labels.OF_VERSION: "v0"}}
    running = ModelTest.model_validate(
        make_test("a", metadata=metadata, status={"overallStatus": "in_progress"})
    )

    assert past_limits([running], OLD, ledger(*OLD), gate(0, 0)) == []


def test_without_a_gate_the_limits_are_those_that_the_reference_tells() -> None:
    tests = [ended(f"good-{n}", n) for n in range(7)] + [
        ended(f"bad-{n}", n, word="failed") for n in range(6)
    ]

    assert deleted(tests, None) == ["bad-0", "good-0", "good-1"]


def test_a_limit_of_a_hundred_keeps_a_hundred() -> None:
    tests = [ended(f"t{n:03}", n % 60, f"v{n % 10}") for n in range(100)]

    assert deleted(tests, gate(100, 0)) == []
