"""The one place that decides when to pass again: a table of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from modelyard.handlers.next_wake import NextWake, after_failure, after_outcome
from modelyard.kube import errors
from modelyard.kube.errors import ApiError
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Settled(), NextWake(1800, "settled", failed=False)),
        (Stalled(), NextWake(1800, "stalled", failed=False)),
        (Waiting(timedelta(seconds=30)), NextWake(30, "waiting", failed=False)),
        (Waiting(timedelta(0)), NextWake(0.1, "waiting", failed=False)),
        (Waiting(timedelta(seconds=-5)), NextWake(0.1, "waiting", failed=False)),
    ],
)
def test_after_a_pass_that_came_to_its_end(outcome: Outcome, expected: NextWake) -> None:
    assert after_outcome(outcome, lambda: 0.5) == expected


def test_settled_objects_are_not_all_looked_at_at_once() -> None:
    assert after_outcome(Settled(), lambda: 0.0).delay == pytest.approx(1440)
    assert after_outcome(Settled(), lambda: 1.0).delay == pytest.approx(2160)


@pytest.mark.parametrize(
    ("error", "first", "tenth", "word"),
    [
        (errors.Conflict("x"), 0.1, 30, "Conflict"),
        (errors.AlreadyExists("x"), 0.1, 30, "AlreadyExists"),
        (errors.Expired("x"), 0.1, 30, "Expired"),
        (errors.Unavailable("x"), 0.5, 60, "Unavailable"),
        (errors.NotFound("x"), 1, 120, "NotFound"),
        (errors.Forbidden("x"), 10, 300, "Forbidden"),
        (errors.Invalid("x"), 10, 300, "Invalid"),
        (errors.NameTaken("x"), 10, 300, "NameTaken"),
        (ApiError("x"), 1, 120, "ApiError"),
        (TimeoutError(), 1, 300, "error"),
        (KeyError("x"), 1, 300, "error"),
    ],
)
def test_after_a_pass_that_failed(error: Exception, first: float, tenth: float, word: str) -> None:
    assert after_failure(error, 1, lambda: 1.0) == NextWake(first, word, failed=True)
    assert after_failure(error, 15, lambda: 1.0) == NextWake(tenth, word, failed=True)


def test_every_error_of_the_api_server_is_in_the_table_by_name() -> None:
    declared = {
        found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, ApiError)
    }
    words = {after_failure(kind("x"), 1, lambda: 1.0).word for kind in declared}

    assert words == {kind.__name__ for kind in declared}


def test_a_server_that_asks_for_more_time_gets_it() -> None:
    assert after_failure(errors.Unavailable("x", retry_after=17), 1, lambda: 1.0).delay == 17
    assert after_failure(errors.Unavailable("x", retry_after=0.01), 3, lambda: 1.0).delay == 2
