"""A model's answer as one number a row under each label. Pure.

An answer is taken when it can be told as tensors: a finite number a row, or one for each label and no other key. That
probabilities lie between 0 and 1 and sum to 1 is what a model's tests are for; here a rounding of the last digit must
not turn an answer into an error.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from modelyard.gateway.protocol.framing import MOST_LISTS, lists_in
from modelyard.gateway.protocol.refusal import Wrong
from modelyard.gateway.protocol.traces import shows_trace
from modelyard.gateway.protocol.words import body_excerpt, described, listed, quoted
from modelyard.gateway.route import Target

_SPACE: Final = 64
"""Bytes that a number, or what is around the numbers of a row, may take with the white space of a printed document."""

_BESIDE: Final = 4 * 1024 * 1024
"""Bytes of an answer beside its predictions."""


def read_predictions(answer: bytes, rows: int, target: Target) -> dict[str, list[float]]:
    """The numbers under each label, or under the target's name where there are none. `Wrong` for anything else."""
    if len(answer) > MOST_LISTS:
        _check_size(answer, rows, target)
    predictions = _entries(answer, rows)
    labels = target.labels
    if not labels:
        return {target.name: _floats(predictions, None)}
    for row, entry in enumerate(predictions):
        if type(entry) is not dict or len(entry) != len(labels):
            raise Wrong(_not_labels(row, entry, labels))
    try:
        return {label: _floats([entry[label] for entry in predictions], label) for label in labels}
    except KeyError:
        row = next(row for row, entry in enumerate(predictions) if entry.keys() != set(labels))
        raise Wrong(_not_labels(row, predictions[row], labels)) from None


def longest_answer(rows: int, target: Target) -> int:
    """Bytes beyond which an answer is far more than the rows need."""
    return _BESIDE + rows * (_SPACE + sum(_SPACE + len(json.dumps(label)) for label in target.labels))


def _check_size(answer: bytes, rows: int, target: Target) -> None:
    """`Wrong` for an answer that is far more than the rows need, before it takes many times as much memory."""
    most = longest_answer(rows, target)
    if len(answer) > most:
        raise Wrong(f"its answer is larger than {most} bytes; no more are needed for {rows} rows")
    if lists_in(answer) > MOST_LISTS + rows * (1 + lists_in("".join(target.labels).encode())):
        raise Wrong("its answer holds too many lists and objects")


def _entries(answer: bytes, rows: int) -> list[Any]:
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError as problem:
        raise Wrong(f"its answer is not JSON ({str(problem)[:100]}){_start(answer)}") from None
    predictions = document.get("predictions") if type(document) is dict else None
    if type(predictions) is not list:
        raise Wrong(f'its answer has no list "predictions"{_start(answer)}')
    if len(predictions) != rows:
        raise Wrong(f"{len(predictions)} predictions for {rows} rows; exactly one prediction a row is needed")
    return predictions


def _start(answer: bytes) -> str:
    """The start of an answer as the end of a sentence about it; empty where that is a stack trace."""
    return "" if shows_trace(answer) else f": {body_excerpt(answer, 80)}"


def _not_labels(row: int, entry: object, labels: tuple[str, ...]) -> str:
    shown = f"an object with the keys {listed(list(entry))}" if isinstance(entry, dict) else described(entry)
    return f"prediction {row} is {shown}; it must be an object with exactly the keys {listed(labels)}"


def _floats(values: list[Any], label: str | None) -> list[float]:
    """Finite already: JSON that orjson takes knows no infinity and no NaN."""
    for value in values:
        if type(value) is not float:
            return [_float(row, value, label) for row, value in enumerate(values)]
    return values


def _float(row: int, value: object, label: str | None) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    of = "" if label is None else f" of {quoted(label)}"
    raise Wrong(f"prediction {row}{of} is {described(value)}; it must be a finite number")
