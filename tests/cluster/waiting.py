"""The one place where tests and the cluster wait for something that they cannot be told of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NeverHappened(AssertionError):
    """What was waited for did not come in time; says what, for how long, and what was seen last."""


def until(what: str, look: Callable[[], T], *, timeout: float = 60.0, every: float = 0.1) -> T:
    """The first truthy value of `look()`, asked again every `every` seconds; NeverHappened after `timeout`."""
    end = time.monotonic() + timeout
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise NeverHappened(f"{what}: not within {timeout:.0f} s (last seen: {seen!r})")
        time.sleep(every)
