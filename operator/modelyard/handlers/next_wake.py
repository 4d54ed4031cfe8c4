"""The one place that turns the end of a pass into the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from modelyard.kube.backoff import Backoff, Dice
from modelyard.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NameTaken,
    NotFound,
    Unavailable,
)
from modelyard.status.outcomes import Outcome, Settled, Stalled, Waiting

RESYNC = 1800.0
"""Seconds after which even a settled object is looked at again, a fifth more or less. What it rests on is watched, or
it would be waiting: this is for bugs of ours, and most of what a thousand models at rest cost."""

SHORTEST_WAIT = 0.1

_BACKOFFS: tuple[tuple[type[BaseException], Backoff], ...] = (
    (Conflict, Backoff(base=0.1, cap=30)),  # we read something old: the news are on their way
    (AlreadyExists, Backoff(base=0.1, cap=30)),
    (Expired, Backoff(base=0.1, cap=30)),
    (Unavailable, Backoff(base=0.5, cap=60)),
    (NotFound, Backoff(base=1, cap=120)),
    (Forbidden, Backoff(base=10, cap=300)),  # an administrator must act
    (Invalid, Backoff(base=10, cap=300)),  # someone must change the object, which wakes it anyway
    (NameTaken, Backoff(base=10, cap=300)),  # what stands in the way is not watched: look again
    (ApiError, Backoff(base=1, cap=120)),
    (Exception, Backoff(base=1, cap=300)),  # a bug of ours
)


@dataclass(frozen=True, slots=True)
class NextWake:
    """When to pass again, in seconds; `word` is the outcome in metrics and logs; did the pass fail?"""

    delay: float
    word: str
    failed: bool


def after_outcome(outcome: Outcome, dice: Dice) -> NextWake:
    """The next pass after one that came to its end."""
    match outcome:
        case Settled() | Stalled():
            return NextWake(RESYNC * (0.8 + 0.4 * dice()), type(outcome).__name__.lower(), failed=False)
        case Waiting(retry_after):
            return NextWake(max(SHORTEST_WAIT, retry_after.total_seconds()), "waiting", failed=False)
        case _:
            assert_never(outcome)


def after_failure(error: Exception, failures: int, dice: Dice) -> NextWake:
    """The next pass after one that raised; it was the `failures`-th in a row over this key (1 = the first)."""
    backoff = next(backoff for kind, backoff in _BACKOFFS if isinstance(error, kind))
    delay = backoff.delay(failures, dice)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        delay = max(delay, error.retry_after)
    word = type(error).__name__ if isinstance(error, ApiError) else "error"
    return NextWake(delay, word, failed=True)
