"""How long to wait after the n-th failure in a row: exponential, with jitter against crowds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Dice = Callable[[], float]
"""A random number from 0 to 1; tests pass a fixed one."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """From `base` seconds, doubling, to `cap`; the upper half of each step is random."""

    base: float
    cap: float

    def delay(self, failures: int, dice: Dice) -> float:
        """Seconds to wait after this many failures in a row (1 = the first)."""
        step = min(self.cap, self.base * 2.0 ** min(max(failures, 1) - 1, 32))
        return step * (0.5 + dice() / 2)
