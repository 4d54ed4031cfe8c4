"""Predictions judged against the contract of a model's target type. Pure: an answer goes in, values or a
sentence come out.

Rows are counted from 0, as in the lists of the data set, and every message about a row says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

from modelyard.api.check_plan import CheckPlan
from modelyard.checks.answers import Reply, Trouble, described, keys_excerpt, listed, named_rows, text_excerpt
from modelyard.checks.parsing import MalformedError, predictions_in

SUM_TOLERANCE = 1e-6
"""How far the probabilities of one row may be from summing to 1."""

_LABELS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Target:
    """What a model predicts: decides the shape of one prediction. No labels: a number."""

    type: Literal["Binary", "Regression", "Multiclass", "Anomaly"]
    labels: tuple[str, ...] = ()


def target_of(plan: CheckPlan) -> Target:
    """The target of the model under test."""
    match plan.target_type:
        case "Binary":
            return Target("Binary", plan.labels())
        case "Multiclass":
            return Target("Multiclass", plan.class_labels)
        case "Regression" | "Anomaly":
            return Target(plan.target_type)


@dataclass(frozen=True, slots=True)
class Predictions:
    """One good prediction a row: a list of values for each label, or one for the label "" where it is a number."""

    by_label: dict[str, list[float]]


def judged(reply: Reply, rows: Sequence[int], target: Target) -> Predictions | str:
    """The predictions in an answer, or why it is not one good prediction for each of `rows`.

    The sentence names the first row that is wrong and says how many more are.
    """
    if isinstance(reply, Trouble):
        return f"{named_rows(rows)}: {reply.what}"
    try:
        predictions = predictions_in(reply)
    except MalformedError as malformed:
        return f"{named_rows(rows)}: {malformed}"
    if len(predictions) != len(rows):
        return (
            f"{named_rows(rows)}: {len(predictions)} predictions for {len(rows)} "
            f"{'row' if len(rows) == 1 else 'rows'}; exactly one prediction a row is needed"
        )
    by_label = _by_label(predictions, target)
    if by_label is not None and _all_right(by_label, target):
        return Predictions(by_label)
    return _first_bad_row(predictions, rows, target) or Predictions(_as_floats(predictions, target))


def predictions_problem(reply: Reply, rows: Sequence[int], target: Target) -> str | None:
    """Why an answer is not one good prediction for each of `rows`; None when it is."""
    found = judged(reply, rows, target)
    return found if isinstance(found, str) else None


def _by_label(predictions: list[Any], target: Target) -> dict[str, list[float]] | None:
    """The values as they are, label by label; None unless all entries are floats, or objects with just the labels."""
    if not target.labels:
        return {"": predictions} if set(map(type, predictions)) <= {float} else None
    if set(map(type, predictions)) != {dict} or set(map(len, predictions)) != {len(target.labels)}:
        return None
    try:
        by_label = {label: list(map(itemgetter(label), predictions)) for label in target.labels}
    except KeyError:
        return None
    return by_label if all(set(map(type, values)) <= {float} for values in by_label.values()) else None


def _all_right(by_label: dict[str, list[float]], target: Target) -> bool:
    """Whether floats are good predictions: for many rows far quicker than to look at each."""
    if not target.labels:
        return all(map(math.isfinite, by_label[""]))
    in_range = all(min(values) >= 0 and max(values) <= 1 for values in by_label.values())
    return in_range and all(
        abs(math.fsum(row) - 1) <= SUM_TOLERANCE for row in zip(*by_label.values(), strict=True)
    )


def _as_floats(predictions: list[Any], target: Target) -> dict[str, list[float]]:
    """Of predictions that were all found right one by one, integers among them."""
    if not target.labels:
        return {"": [float(entry) for entry in predictions]}
    return {label: [float(entry[label]) for entry in predictions] for label in target.labels}


def _first_bad_row(predictions: list[object], rows: Sequence[int], target: Target) -> str | None:
    problem_of = _labels_problem if target.labels else _number_problem
    problems = ((row, problem_of(entry, target)) for row, entry in zip(rows, predictions, strict=True))
    bad = [(row, problem) for row, problem in problems if problem]
    if not bad:
        return None
    row, problem = bad[0]
    more = f"; {len(bad) - 1} more of these {len(rows)} rows are wrong" if len(bad) > 1 else ""
    return f"row {row}: {problem} (rows count from 0{more})"


def _number_problem(entry: object, target: Target) -> str | None:
    if _number(entry) is not None:
        return None
    what = "anomaly score" if target.type == "Anomaly" else "prediction"
    return f"{what} is {described(entry)}; every {what} must be a finite number"


def _labels_problem(entry: object, target: Target) -> str | None:
    if not isinstance(entry, dict):
        wanted = _wanted(target)
        return f"prediction is {described(entry)}; it must be an object with the keys {wanted}"
    if entry.keys() != set(target.labels):
        return _keys_problem(entry, target)
    for label in target.labels:
        probability = _number(entry[label])
        if probability is None or not 0 <= probability <= 1:
            shown = f"probability of {text_excerpt(label, 60)} is {described(entry[label])}"
            return f"{shown}; every probability must be a number from 0 to 1"
    total = math.fsum(entry.values())
    if abs(total - 1) > SUM_TOLERANCE:
        return f"probabilities sum to {total:.9g}; they must sum to 1 (within {SUM_TOLERANCE:f})"
    return None


def _keys_problem(entry: dict[str, object], target: Target) -> str:
    """Of many labels those that are wrong are named, since nobody compares two long lists."""
    if len(target.labels) <= _LABELS_SHOWN:
        return f"{keys_excerpt(entry)}; a prediction must have exactly the keys {_wanted(target)}"
    lacking = [label for label in target.labels if label not in entry]
    foreign = [key for key in entry if key not in target.labels]
    told = [
        *([f"it lacks {listed(lacking)}"] if lacking else []),
        *([f"it has {listed(foreign)}, which no class is called"] if foreign else []),
    ]
    return (
        f"{' and '.join(told)}; a prediction must have exactly the {len(target.labels)} class labels as keys"
    )


def _wanted(target: Target) -> str:
    labels = target.labels
    if len(labels) > _LABELS_SHOWN:
        return listed(labels)
    shown = [text_excerpt(label, 60) for label in labels]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _number(entry: object) -> float | None:
    """A finite number as a float; None for anything else. Booleans are no numbers."""
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        return None
    try:
        number = float(entry)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
