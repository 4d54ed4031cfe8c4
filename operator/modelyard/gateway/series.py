"""What a gateway counts: plain numbers on the way of a request, turned into Prometheus' terms when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import Any, Final

SECONDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
BYTES: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)

Key = tuple[str, str, str, str]
"""Namespace, model, version and endpoint; the first three are empty where the request names none that there is."""


class Distribution:
    """How values are distributed: `counts` has one entry a bound, and one for what is above."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Series:
    """What is counted under one key."""

    __slots__ = ("asked", "codes", "key", "own", "told", "upstream")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.codes: dict[int, int] = {}
        """Answers by status."""

        self.own = Distribution(SECONDS)
        """Seconds that the gateway itself took, and the model (`upstream`)."""

        self.upstream = Distribution(SECONDS)
        self.asked = Distribution(BYTES)
        """Bodies of requests, and of answers (`told`)."""

        self.told = Distribution(BYTES)

    def count(self, code: int) -> None:
        """An answer was given."""
        self.codes[code] = self.codes.get(code, 0) + 1


class Book:
    """All series of one worker."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self.abandoned = 0
        """Requests whose client went before it had its answer."""

    def series(self, key: Key) -> Series:
        """Those of a key. Keys are made of what is in the table, never of what a client wrote."""
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(key)
        return found

    def forget_but(self, models: Collection[tuple[str, str]]) -> None:
        """Drop what belongs to models that are gone."""
        for key in [key for key in self._series if key[1] and key[:2] not in models]:
            del self._series[key]

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON can hold it; see `exposition`."""
        return {
            "requests": [
                [*s.key, code, count] for s in self._series.values() for code, count in s.codes.items()
            ],
            "distributions": [
                [name, *s.key[:3], d.counts, d.total]
                for s in self._series.values()
                if s.key[3] == "infer" and s.key[1]
                for name, d in (
                    ("own", s.own),
                    ("upstream", s.upstream),
                    ("asked", s.asked),
                    ("told", s.told),
                )
            ],
            "abandoned": self.abandoned,
        }
