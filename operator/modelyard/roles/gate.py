"""The gate of a model: which tests a version must pass, and what their results amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from modelyard.api.check_plan import CheckStatus
from modelyard.api.columns import InputColumn
from modelyard.api.custom_model import CustomModelSpec, GateTest, TestConfiguration
from modelyard.api.digests import canonical_hash, without_contents
from modelyard.api.meta import Condition
from modelyard.api.model_ledger import TestFact, VerdictFact
from modelyard.api.model_test import ModelTestStatus
from modelyard.api.reasons import ConditionType, Reason
from modelyard.api.remembered import remembered
from modelyard.status.assessment import GRACE

IMPLICIT = GateTest(
    name="starts",
    configuration=TestConfiguration(error_check="skip", null_value_imputation="skip", side_effects="skip"),
)
"""No gate given = this one: nothing serves untested. It stays as it is, as its hash is part of verdicts."""

STARTUP = "startup"
"""What the ledger calls the test that a version fails by never coming up."""

ENDED = frozenset(
    {
        CheckStatus.SUCCEEDED,
        CheckStatus.WARNING,
        CheckStatus.FAILED,
        CheckStatus.CANCELED,
        CheckStatus.ABORTED,
    }
)
GOOD = frozenset({CheckStatus.SUCCEEDED, CheckStatus.WARNING})

WITHOUT_DATA = frozenset({Reason.CONFIG_MAP_NOT_FOUND, Reason.INVALID_DATASET})
"""What a test says that waits for data."""

NOT_RUN = "not run: "
"""How the message of a test begins that decided nothing, as it is not required and came to no result."""

MESSAGE_KEPT = 1000
"""Characters of a test's message that go into the ledger."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a verdict binds to: these bytes and this template."""

    image: str
    code_digest: str
    template_hash: str


def tests_of(model: CustomModelSpec) -> tuple[GateTest, ...]:
    """The tests of a model's gate, the implicit one if it has none."""
    return tuple(model.gate.tests) if model.gate else (IMPLICIT,)


@remembered(256)
def hash_of_gate(model: CustomModelSpec) -> str:
    """`gate_hash` of a model's tests."""
    return gate_hash(tests_of(model))


def gate_hash(tests: Sequence[GateTest]) -> str:
    """The same for a gate with contents and for its cached form with digests."""
    wire = [test.model_dump(mode="json", by_alias=True, exclude_defaults=True) for test in tests]
    return canonical_hash(without_contents({"spec": {"gate": {"tests": wire}}}))


def test_hash(test: GateTest, *, key: str, template_hash: str) -> str:
    """What makes one gate test of one version unique: a changed test is another test."""
    return canonical_hash([gate_hash([test]), key, template_hash])


def verdict(
    tests: Sequence[GateTest],
    results: Mapping[str, tuple[str, ModelTestStatus]],
    tested: Tested,
    *,
    now: datetime,
) -> VerdictFact | None:
    """The verdict once every required test has spoken, and every other has ended or was given up.

    `results` is by test name: (ModelTest name, its status).
    """
    facts = [_fact(test, *results[test.name], now) for test in tests if test.name in results]
    if len(facts) < len(tests) or any(fact is None for fact in facts):
        return None
    ended = [fact for fact in facts if fact]
    failed = any(fact.required and fact.result == "Failed" for fact in ended)
    spoken = _verdict("Failed" if failed else "Passed", tests, ended, tested, now)
    return spoken if failed else spoken.model_copy(update={"columns": _columns(tests, results)})


def _columns(
    tests: Sequence[GateTest], results: Mapping[str, tuple[str, ModelTestStatus]]
) -> list[InputColumn] | None:
    """Those of the first test of the gate that knows some."""
    told = (results[test.name][1].columns for test in tests)
    return next((columns for columns in told if columns), None)


def failures(verdict: VerdictFact | None) -> list[TestFact]:
    """The tests for which a version was refused: those that failed and were required."""
    tests = verdict.tests if verdict else []
    return [test for test in tests if test.result == "Failed" and test.required]


def remarks(verdict: VerdictFact) -> list[str]:
    """What a version that passed had better hear of: tests that warned, and those that failed, or were not run, though
    they may."""
    return [
        *(f'test "{test.test}" warned{_said(test)}' for test in verdict.tests if test.warned),
        *(
            f'test "{test.test}", which is not required, {_failed(test)}'
            for test in verdict.tests
            if test.result == "Failed"
        ),
    ]


def _failed(test: TestFact) -> str:
    return f"was {test.message}" if test.message.startswith(NOT_RUN) else f"failed{_said(test)}"


def _said(test: TestFact) -> str:
    """Its message; the ledger keeps none of old versions."""
    return f": {test.message}" if test.message else ""


def refusal(tests: Sequence[GateTest], tested: Tested, message: str, *, now: datetime) -> VerdictFact:
    """The verdict on a version that never came up: it failed before any test could run."""
    fact = TestFact(test=STARTUP, result="Failed", message=message[:MESSAGE_KEPT])
    return _verdict("Failed", tests, [fact], tested, now)


def _verdict(
    result: Literal["Passed", "Failed"],
    tests: Sequence[GateTest],
    facts: list[TestFact],
    tested: Tested,
    now: datetime,
) -> VerdictFact:
    return VerdictFact(
        result=result,
        at=now,
        gate=gate_hash(tests),
        image=tested.image,
        code_digest=tested.code_digest,
        template_hash=tested.template_hash,
        tests=facts,
    )


def _fact(test: GateTest, name: str, status: ModelTestStatus, now: datetime) -> TestFact | None:
    if status.overall_status not in ENDED or says_nothing(status):
        return None if test.required else _not_run(test, name, status, now)
    return TestFact(
        test=test.name,
        name=name,
        result="Passed" if status.overall_status in GOOD else "Failed",
        message=why(status)[:MESSAGE_KEPT],
        required=test.required,
        warned=CheckStatus(status.overall_status) is CheckStatus.WARNING,
    )


def _not_run(test: GateTest, name: str, status: ModelTestStatus, now: datetime) -> TestFact | None:
    """Of a test without a result that nobody has to wait for: it ended, or its data did not come in time."""
    if not says_nothing(status) and not _is_given_up(status, now):
        return None
    reason = why(status).partition(" Next: ")[0].rstrip(".")
    return TestFact(
        test=test.name,
        name=name,
        result="Failed",
        message=f"{NOT_RUN}{reason}"[:MESSAGE_KEPT],
        required=False,
    )


def says_nothing(status: ModelTestStatus) -> bool:
    """Whether the test ended without a word on the model: its pods were lost, twice, or its data is no data."""
    return CheckStatus(status.overall_status) is CheckStatus.ABORTED


def awaits_data(status: ModelTestStatus) -> bool:
    """Whether it ended for data that can be mended: a test of the gate is made anew once it is."""
    return says_nothing(status) and any(said.reason == Reason.INVALID_DATASET for said in _words(status))


def lacks_data(status: ModelTestStatus) -> bool:
    """Whether it has not begun because there is no data to begin with."""
    is_queued = CheckStatus(status.overall_status) is CheckStatus.QUEUED
    return is_queued and any(said.reason in WITHOUT_DATA for said in _words(status))


def why(status: ModelTestStatus) -> str:
    """What the test itself says of its end, or until then of what it waits for."""
    return next((said.message for said in _words(status)), "")


def _is_given_up(status: ModelTestStatus, now: datetime) -> bool:
    return lacks_data(status) and all(now - said.last_transition_time >= GRACE for said in _words(status))


def _words(status: ModelTestStatus) -> list[Condition]:
    """The condition that tells of its end, if there is one yet."""
    return [condition for condition in status.conditions if condition.type == ConditionType.SUCCEEDED]
