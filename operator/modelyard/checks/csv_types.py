"""What the values of a column of CSV are: numbers, booleans, or text. Pure.

A column is decided as a whole: one value that is neither number nor missing makes it text, so that a code as
007 never becomes 7. docs/data.md states the rules, and its examples are run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from modelyard.checks.answers import text_excerpt

_INTEGER = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
_NUMBER = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)
_MISSING = frozenset({"", "na", "nan", "null"})
_BOOLEANS = {"true": True, "false": False}


class NotJsonError(Exception):
    """A value of a column of numbers that JSON has no number for, and its row from 0."""

    def __init__(self, row: int, text: str) -> None:
        super().__init__(f"{text_excerpt(text, 40)} is no finite number; leave the value empty")
        self.row = row


def typed(texts: Sequence[str]) -> list[object]:
    """The values of a column, null where there is none; NotJsonError for an infinite number."""
    values = [text.strip() for text in texts]
    present = [value for value in values if value.lower() not in _MISSING]
    if all(_NUMBER.fullmatch(value) or _INFINITE.fullmatch(value) for value in present):
        return [_number(row, value) for row, value in enumerate(values)]
    if all(value.lower() in _BOOLEANS for value in present):
        return [_BOOLEANS.get(value.lower()) for value in values]
    return [text or None for text in texts]


def _number(row: int, value: str) -> object:
    if value.lower() in _MISSING:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise NotJsonError(row, value)
    return int(value) if _INTEGER.fullmatch(value) else number
