"""Answers of a model server judged against its contract. Pure: an answer goes in, a sentence comes out.

Rows are counted from 0, as in the lists of the data set, and every message about a row says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from modelyard.api.check_plan import CheckPlan, CheckStatus
from modelyard.checks.answers import Answer, Reply, Trouble, body_excerpt, text_excerpt, value_excerpt

SUM_TOLERANCE = 1e-6
"""How far the probabilities of one row may be from summing to 1."""

_KEYS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Passed:
    """The model keeps the promise that a check is about."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The model breaks it; the message says where and how."""

    message: str


Verdict = Passed | Failed


@dataclass(frozen=True, slots=True)
class Target:
    """What a model predicts: decides the shape of one prediction."""

    type: Literal["Binary", "Regression", "Multiclass", "Anomaly"]
    positive: str = "1"
    negative: str = "0"


def target_of(plan: CheckPlan) -> Target:
    """The target of the model under test."""
    positive, negative = plan.labels()
    return Target(plan.target_type, positive, negative)


def roll_up(statuses: Iterable[CheckStatus]) -> CheckStatus:
    """The word for a whole run: the worst of failed, aborted, warning; else succeeded."""
    found = set(statuses)
    for word in (CheckStatus.FAILED, CheckStatus.ABORTED, CheckStatus.WARNING):
        if word in found:
            return word
    return CheckStatus.SUCCEEDED


def readiness_problem(reply: Reply) -> str | None:
    """Why an answer to `GET <prefix>/` does not say "ready"; None when it does."""
    if isinstance(reply, Trouble):
        return reply.what
    return None if reply.status == 200 else _status_problem(reply)


def is_strange(reply: Reply) -> bool:
    """Whether an answer can mean neither "ready" (200) nor "not ready yet" (503 and its kind)."""
    return isinstance(reply, Answer) and reply.status != 200 and reply.status < 500


def predictions_problem(reply: Reply, rows: range, target: Target) -> str | None:
    """Why an answer is not one good prediction for each of `rows`; None when it is.

    Names the first row that is wrong and says how many more are.
    """
    if isinstance(reply, Trouble):
        return f"{_named(rows)}: {reply.what}"
    try:
        predictions = _parse(reply)
    except _Malformed as malformed:
        return f"{_named(rows)}: {malformed}"
    if len(predictions) != len(rows):
        return (
            f"{_named(rows)}: {len(predictions)} predictions for {len(rows)} rows; "
            "exactly one prediction a row is needed"
        )
    return _first_bad_row(predictions, rows, target)


class _Malformed(Exception):
    """The body holds no list of predictions; `str()` says why."""


def _parse(answer: Answer) -> list[object]:
    if answer.status != 200:
        raise _Malformed(_status_problem(answer))
    if not answer.whole:
        raise _Malformed(f"the answer is too long: reading stopped after {len(answer.body)} bytes")
    if answer.encoding:
        raise _Malformed(f"the answer is compressed ({answer.encoding[:20]!r}), which was not asked for")
    body = _parse_json(answer.body)
    if not isinstance(body, dict):
        raise _Malformed(f'the answer is {_described(body)}, not an object with the key "predictions"')
    if "predictions" not in body:
        raise _Malformed(f'the answer has no key "predictions"; {_keys(body)}')
    predictions = body["predictions"]
    if not isinstance(predictions, list):
        raise _Malformed(f'"predictions" is {_described(predictions)}, not a list')
    return predictions


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Malformed(f"the answer is not UTF-8 (byte {error.start}): {body_excerpt(body)}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise _Malformed(f"the answer is not JSON ({where}): {body_excerpt(body)}") from None
    except RecursionError:
        raise _Malformed(f"the answer is nested too deeply: {body_excerpt(body, 40)}") from None
    except ValueError:  # Python refuses integers of more than 4300 digits.
        raise _Malformed("the answer holds a number of thousands of digits") from None


def _first_bad_row(predictions: list[object], rows: range, target: Target) -> str | None:
    problem_of = _regression_problem if target.type == "Regression" else _binary_problem
    problems = ((row, problem_of(entry, target)) for row, entry in zip(rows, predictions, strict=True))
    bad = [(row, problem) for row, problem in problems if problem]
    if not bad:
        return None
    row, problem = bad[0]
    more = f"; {len(bad) - 1} more of these {len(rows)} rows are wrong" if len(bad) > 1 else ""
    return f"row {row}: {problem} (rows count from 0{more})"


def _regression_problem(entry: object, _target: Target) -> str | None:
    if _number(entry) is not None:
        return None
    return f"prediction is {_described(entry)}; every prediction must be a finite number"


def _binary_problem(entry: object, target: Target) -> str | None:
    labels = (target.positive, target.negative)
    wanted = " and ".join(text_excerpt(label, 60) for label in labels)
    if not isinstance(entry, dict):
        return f"prediction is {_described(entry)}; it must be an object with the keys {wanted}"
    if entry.keys() != set(labels):
        return f"{_keys(entry)}; a prediction must have exactly the keys {wanted}"
    for label in labels:
        probability = _number(entry[label])
        if probability is None or not 0 <= probability <= 1:
            shown = f"probability of {text_excerpt(label, 60)} is {_described(entry[label])}"
            return f"{shown}; every probability must be a number from 0 to 1"
    total = math.fsum(entry[label] for label in labels)
    if abs(total - 1) > SUM_TOLERANCE:
        return f"probabilities sum to {total:.9g}; they must sum to 1 (within {SUM_TOLERANCE:f})"
    return None


def _number(entry: object) -> float | None:
    """A finite number as a float; None for anything else. Booleans are no numbers."""
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        return None
    try:
        number = float(entry)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _described(value: object) -> str:
    shown = value_excerpt(value)
    match value:
        case str():
            return f"the text {shown}"
        case list():
            return f"the list {shown}"
        case dict():
            return f"the object {shown}"
        case _:
            return shown


def _keys(found: dict[str, object]) -> str:
    shown = ", ".join(text_excerpt(key, 60) for key in list(found)[:_KEYS_SHOWN])
    more = f" and {len(found) - _KEYS_SHOWN} more" if len(found) > _KEYS_SHOWN else ""
    return f"its keys are {shown}{more}" if found else "it has no keys"


def _named(rows: range) -> str:
    return f"row {rows[0]}" if len(rows) == 1 else f"rows {rows[0]} to {rows[-1]}"


def _status_problem(answer: Answer) -> str:
    return f"answered HTTP {answer.status} with {body_excerpt(answer.body)}"
