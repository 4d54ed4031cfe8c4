"""What a gateway counts: plain numbers on the way of a request, which several workers add up when asked. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SECONDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
BYTES: Final = (100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)

Key = tuple[str, str, str, str]
"""Namespace, model, version and endpoint; the first three are empty where the request names none that there is."""

Name = tuple[str, ...]
"""Namespace, model and version; the version is empty for the model itself."""


class Distribution:
    """How values are distributed: `counts` has one entry a bound, and one for what is above."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Series:
    """What is counted under one key: answers by status, seconds of the gateway and of the model, sizes of bodies."""

    __slots__ = ("codes", "key", "own_seconds", "request_bytes", "response_bytes", "upstream_seconds")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.codes: dict[int, int] = {}
        self.own_seconds = Distribution(SECONDS)
        self.upstream_seconds = Distribution(SECONDS)
        self.request_bytes = Distribution(BYTES)
        self.response_bytes = Distribution(BYTES)

    def count(self, code: int) -> None:
        """An answer was given."""
        self.codes[code] = self.codes.get(code, 0) + 1

    def measure(self, own: float, upstream: float | None, asked: int, told: int | None) -> None:
        """A prediction: seconds of the gateway and of the model, sizes of both bodies. None: no pod was asked, or no
        answer given."""
        for distribution, value in (
            (self.own_seconds, own),
            (self.upstream_seconds, upstream),
            (self.request_bytes, asked),
            (self.response_bytes, told),
        ):
            if value is not None:
                distribution.counts[bisect_left(distribution.bounds, value)] += 1
                distribution.total += value


MEASURED: Final = {
    "own_seconds": SECONDS,
    "upstream_seconds": SECONDS,
    "request_bytes": BYTES,
    "response_bytes": BYTES,
}
"""Names of the distributions of a series, and their bounds."""


class Book:
    """All series of one worker."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self.abandoned = 0
        """Requests whose client went before it had its answer."""

        self.retried = 0
        """Requests that were sent to a pod once more."""

    def series(self, key: Key) -> Series:
        """Those of a key. Keys are made of what is in the table, never of what a client wrote."""
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(key)
        return found

    def forget_but(self, known: Collection[Name]) -> None:
        """Drop what belongs to models and versions that are gone."""
        for key in [key for key in self._series if key[1] and key[:3] not in known]:
            del self._series[key]

    def tally(self) -> Tally:
        """All that was counted."""
        tally = Tally({"abandoned": self.abandoned, "retried": self.retried})
        for key, series in self._series.items():
            for code, count in series.codes.items():
                tally.requests[(*key, str(code))] = count
            if key[1] and key[3] == "infer":
                for name in MEASURED:
                    distribution: Distribution = getattr(series, name)
                    tally.measured[(name, *key[:3])] = [*distribution.counts, distribution.total]
        return tally


@dataclass
class Tally:
    """Counts that can be added: of several workers, or of one that is gone."""

    counts: dict[str, float] = field(default_factory=dict)
    requests: dict[tuple[str, ...], float] = field(default_factory=dict)
    """By namespace, model, version, endpoint and status."""

    measured: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    """By name, namespace, model and version: counts between the bounds, and the sum of all values."""

    def add(self, other: Tally) -> None:
        """Add the counts of another."""
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        for key, count in other.requests.items():
            self.requests[key] = self.requests.get(key, 0) + count
        for key, values in other.measured.items():
            own = self.measured.get(key)
            self.measured[key] = values if own is None else [a + b for a, b in zip(own, values, strict=True)]

    def forget_but(self, known: Collection[Name]) -> None:
        """Drop what belongs to models and versions that are gone."""
        for request in [key for key in self.requests if key[1] and key[:3] not in known]:
            del self.requests[request]
        for measured in [key for key in self.measured if key[1:] not in known]:
            del self.measured[measured]

    def document(self) -> dict[str, Any]:
        """As JSON can hold it; `tally_of` reads it."""
        return {
            "counts": self.counts,
            "requests": list(self.requests.items()),
            "measured": list(self.measured.items()),
        }


def tally_of(document: dict[str, Any]) -> Tally:
    """The tally that a document was made of."""
    return Tally(
        document["counts"],
        {tuple(key): count for key, count in document["requests"]},
        {tuple(key): values for key, values in document["measured"]},
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


@dataclass(frozen=True, slots=True)
class Report:
    """One worker at one moment."""

    ready: bool
    tally: Tally
    gauges: dict[str, float] = field(default_factory=dict)
    in_flight: dict[tuple[str, ...], float] = field(default_factory=dict)
    """Predictions under way by namespace and model."""

    known: frozenset[Name] | None = None
    """All models and versions that there are, for who asks for them; None: not told, or not known yet."""

    def document(self) -> dict[str, Any]:
        """As JSON can hold it; `report_of` reads it."""
        return {
            "ready": self.ready,
            "tally": self.tally.document(),
            "gauges": self.gauges,
            "in_flight": list(self.in_flight.items()),
            "known": None if self.known is None else list(self.known),
        }


def report_of(document: dict[str, Any]) -> Report:
    """The report that a document was made of."""
    in_flight = {tuple(key): count for key, count in document["in_flight"]}
    names = document["known"]
    known = None if names is None else frozenset(map(tuple, names))
    return Report(document["ready"], tally_of(document["tally"]), document["gauges"], in_flight, known)


@dataclass(frozen=True, slots=True)
class Seen:
    """All workers at one moment."""

    reports: list[Report]
    """One of each that answers."""

    rest: Tally = field(default_factory=Tally)
    """What others counted: those that are gone, and those that do not answer now. So no count ever falls."""
