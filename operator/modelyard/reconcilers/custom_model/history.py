"""Which ended tests of the gate are kept, and which are history enough. Pure.

    of the version that serves, and of the candidate                  all
    of a version whose verdict is not in the ledger                   all
    of every other version, those that found nothing wrong            the newest, gate.successfulTestsHistoryLimit
    of every other version, those that failed or were ended           the newest, gate.failedTestsHistoryLimit

What the gate said stays in the ledger. A test that is deleted here is not made again: only a candidate is tested,
and one that became a candidate again by another gate is asked by other tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from modelyard.api import labels
from modelyard.api.custom_model import Gate
from modelyard.api.model_ledger import ModelLedgerSpec
from modelyard.api.model_test import ModelTest
from modelyard.roles.roles import Role

_KEPT = frozenset({Role.SERVING, Role.CANDIDATE, Role.UNLABELLED})
_GOOD = frozenset({"succeeded", "warning"})


def past_limits(
    tests: Iterable[ModelTest], roles: Mapping[str, Role], ledger: ModelLedgerSpec, gate: Gate | None
) -> list[ModelTest]:
    """The tests to delete, the oldest first."""
    judged = {fact.key for fact in ledger.versions if fact.verdict is not None}
    history = [test for test in tests if _is_history(test, roles, judged)]
    good, bad = _limits(gate)
    surplus = chain(
        _beyond(good, (test for test in history if test.status.overall_status in _GOOD)),
        _beyond(bad, (test for test in history if test.status.overall_status not in _GOOD)),
    )
    return sorted(surplus, key=_age)


def _is_history(test: ModelTest, roles: Mapping[str, Role], judged: Collection[str]) -> bool:
    key = test.metadata.labels.get(labels.OF_VERSION, "")
    return test.status.completed_at is not None and key in judged and roles.get(key) not in _KEPT


def _limits(gate: Gate | None) -> tuple[int, int]:
    if gate:
        return gate.successful_tests_history_limit, gate.failed_tests_history_limit
    fields = Gate.model_fields
    return (
        int(fields["successful_tests_history_limit"].default),
        int(fields["failed_tests_history_limit"].default),
    )


def _beyond(limit: int, tests: Iterable[ModelTest]) -> Iterator[ModelTest]:
    yield from sorted(tests, key=_age, reverse=True)[limit:]


def _age(test: ModelTest) -> tuple[datetime, str]:
    return test.status.completed_at or test.metadata.creation_timestamp, test.metadata.name
