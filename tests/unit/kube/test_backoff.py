"""Waiting longer after each failure, never longer than the cap, never all at once."""

from __future__ import annotations

import pytest

from modelyard.kube.backoff import Backoff

BACKOFF = Backoff(base=0.5, cap=30.0)


@pytest.mark.parametrize(("failures", "longest"), [(0, 0.5), (1, 0.5), (2, 1), (3, 2), (7, 30), (10_000, 30)])
def test_each_failure_doubles_the_wait_up_to_the_cap(failures: int, longest: float) -> None:
    assert BACKOFF.delay(failures, lambda: 1.0) == longest


def test_half_of_each_wait_is_random() -> None:
    assert BACKOFF.delay(3, lambda: 0.0) == 1.0
    assert BACKOFF.delay(3, lambda: 0.5) == 1.5
