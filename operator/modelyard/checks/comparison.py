"""Predictions for the same rows, asked for in different ways: where they differ, and why they might. Pure."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from modelyard.api.check_plan import Tolerance
from modelyard.checks.answers import text_excerpt

_ROUNDING = 1e-4


class Way(Enum):
    """A way of asking, other than for all rows in one request; the value says how, within a sentence."""

    BATCHES = "in smaller batches"
    SHUFFLED = "with the rows shuffled"
    ROW_BY_ROW = "row by row"
    REPEATED = "when asked again"


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows in the order in which they were asked for, and for each label their values in that order."""

    rows: Sequence[int]
    by_label: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is predicted otherwise than in the request for the whole; the label is "" for a number."""

    row: int
    label: str
    whole: float
    other: float

    @property
    def size(self) -> float:
        """How far the two values are apart."""
        return abs(self.other - self.whole)

    @property
    def where(self) -> str:
        """`row 3`, or `row 3, label "yes"`."""
        return f"row {self.row}, label {text_excerpt(self.label, 60)}" if self.label else f"row {self.row}"


def differences(whole: Answers, other: Answers, tolerance: Tolerance) -> list[Difference]:
    """Where `other` differs from `whole`, which has the rows 0, 1, 2...; by row, one label a row."""
    found: dict[int, Difference] = {}
    for label, values in other.by_label.items():
        expected = whole.by_label[label]
        for row, value in zip(other.rows, values, strict=True):
            if _differ(value, expected[row], tolerance):
                found.setdefault(row, Difference(row, label, expected[row], value))
    return [found[row] for row in sorted(found)]


def largest(differing: Mapping[Way, Sequence[Difference]]) -> float:
    """How far two values that should be equal are apart at most; a finite number."""
    return min(max(one.size for differ in differing.values() for one in differ), sys.float_info.max)


def cause(
    whole: Answers,
    asked: Mapping[Way, Answers],
    differing: Mapping[Way, Sequence[Difference]],
    replicas: int,
) -> str:
    """What most likely makes the ways of asking differ, as the end of a sentence; `differing` has those that do."""
    small = all(_is_rounding(one) for differ in differing.values() for one in differ)
    if Way.REPEATED in differing:
        among = ", or the replicas differ" if replicas > 1 else ""
        little = f" (by {largest(differing):.1g} at most)" if small else ""
        return f"the model keeps state between requests, or uses random numbers{among}{little}"
    if small:
        return (
            f"the differences are small, {largest(differing):.1g} at most, as rounding in single precision "
            "makes them; if they are, give a larger tolerance"
        )
    if Way.SHUFFLED in differing and _in_own_order(whole, asked[Way.SHUFFLED]):
        return "the predictions come back in another order than the rows (are they sorted, or grouped?)"
    if differing.keys() & {Way.BATCHES, Way.ROW_BY_ROW}:
        return "a prediction depends on the rows sent with it (is something computed over the whole request?)"
    return "a prediction depends on the order of the rows"


def telling(differing: Mapping[Way, object]) -> Way:
    """Of the ways that differ, the one that shows the cause best."""
    order = (Way.REPEATED, Way.ROW_BY_ROW, Way.BATCHES, Way.SHUFFLED)
    return next(way for way in order if way in differing)


def _differ(value: float, expected: float, tolerance: Tolerance) -> bool:
    return abs(value - expected) > tolerance.absolute + tolerance.relative * abs(expected)


def _is_rounding(one: Difference) -> bool:
    """Whether single precision, with its 7 digits, may come to both values by adding in another order."""
    return one.size <= _ROUNDING * max(1.0, abs(one.whole))


def _in_own_order(whole: Answers, shuffled: Answers) -> bool:
    """Whether the shuffled rows got the same values, only not each its own."""
    return all(
        len(whole.by_label[label]) == len(values)
        and all(map(_alike, sorted(whole.by_label[label]), sorted(values)))
        for label, values in shuffled.by_label.items()
    )


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
