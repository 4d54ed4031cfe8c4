"""A data set written as JSON: an object of columns, or a list of rows. Pure.

Values are sent as they are written; docs/data.md has the rules.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

from modelyard.checks.answers import text_excerpt, value_excerpt
from modelyard.checks.data import DataError
from modelyard.checks.json_places import place_of, place_of_value

_PANDAS = '; pandas writes lists with orient="list" and rows with orient="records"'

_MAX_VALUES = 50_000_000
"""Values that rows may become; rows of ever other keys would be many times their own size as columns."""


class _TwiceError(Exception):
    """An object has a key twice, which Python's reader does not place."""


def parse_json(text: str) -> dict[str, list[object]]:
    """The columns in the text of a JSON file; DataError says what is wrong, and where."""
    match _parsed(text):
        case dict() as columns:
            checked = _checked(text, columns)
            _check_numbers(checked, lambda name, row: place_of_value(text, name, row))
        case list() as rows:
            checked = _turned(text, rows)
            _check_numbers(checked, lambda name, row: place_of_value(text, row, name))
        case other:
            raise DataError(
                f'{place_of_value(text)}: must be an object of columns, as {{"column": [1, 2]}}, or a list of rows, '
                f'as [{{"column": 1}}], not {value_excerpt(other)}'
            )
    return checked


def _parsed(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise DataError(f"is not JSON ({where}){_hint(text, error)}") from None
    except RecursionError:
        raise DataError("is nested too deeply") from None
    except _TwiceError:
        raise DataError(_twice(text)) from None
    except ValueError:  # Python refuses integers of more than 4300 digits.
        found = _LONG_NUMBER.search(text)
        where = place_of(text, found.start() if found else 0)
        raise DataError(f"{where}: a number of thousands of digits") from None


def _hint(text: str, error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data" and text[error.pos] in "{[":
        return "; one object a line is JSON Lines: put the objects into one list, [{...}, {...}]"
    if error.pos == 0 and "," in text.partition("\n")[0]:
        return "; if it is CSV, the format must be csv"
    return ""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


_LONG_NUMBER = re.compile(r"\d{4300}")
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|[{}]', re.DOTALL)


def _twice(text: str) -> str:
    """Where the first key stands that its object has already; the text is JSON up to there."""
    seen: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            seen.append(set())
        elif token[0] == "}":
            seen.pop()
        elif token[2]:
            name = json.loads(token[1])
            if name in seen[-1]:
                return (
                    f"{place_of(text, token.start())}: {text_excerpt(name, 60)} is there twice in one object"
                )
            seen[-1].add(name)
    return "an object has a key twice"


def _checked(text: str, columns: dict[str, object]) -> dict[str, list[object]]:
    if not columns:
        raise DataError("has no columns")
    checked: dict[str, list[object]] = {}
    for name, values in columns.items():
        if not isinstance(values, list):
            raise DataError(
                f"{place_of_value(text, name)}: {_column(name)} must be a list of values, "
                f"not {value_excerpt(values)}{_column_hint(name, values)}"
            )
        checked[name] = values
    _check_lengths(text, checked)
    return checked


def _column_hint(name: str, values: object) -> str:
    if name == "X":
        return '; leave out the "X" around the columns'
    return _PANDAS if isinstance(values, dict) else ""


def _turned(text: str, rows: list[object]) -> dict[str, list[object]]:
    """Rows turned into columns, in the order in which they first appear; what a row lacks is null."""
    names: dict[str, None] = {}
    objects: list[dict[str, object]] = []
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            where = f"{place_of_value(text, number)}: row {number} (from 0)"
            raise DataError(f"{where} must be an object, not {value_excerpt(row)}")
        objects.append(row)
        names.update(dict.fromkeys(row))
    if not objects:
        raise DataError("has no rows: its list is empty")
    if not names:
        raise DataError("has no columns: its rows are empty")
    if len(names) * len(objects) > _MAX_VALUES:
        raise DataError(f"has {len(names)} columns in {len(objects)} rows: more than {_MAX_VALUES} values")
    return {name: [row.get(name) for row in objects] for name in names}


def _check_lengths(text: str, columns: dict[str, list[object]]) -> None:
    first, values = next(iter(columns.items()))
    for name, others in columns.items():
        if len(others) != len(values):
            raise DataError(
                f"{place_of_value(text, name)}: {_column(name)} has {len(others)} values "
                f"but {_column(first)} has {len(values)}; all columns must be of one length"
            )
    if not values:
        raise DataError("has no rows: its columns are empty")


def _check_numbers(columns: dict[str, list[object]], where: Callable[[str, int], str]) -> None:
    """Python reads NaN and 1e999, which are no JSON and which no model could be sent."""
    for name, values in columns.items():
        for row, value in enumerate(values):
            if _is_no_json(value):
                shown = value_excerpt(value)
                found = f"{_column(name)}, row {row} (from 0): {shown}"
                raise DataError(f"{where(name, row)}: {found} is not JSON; use null")


def _is_no_json(value: object) -> bool:
    match value:
        case float():
            return not math.isfinite(value)
        case list():
            return any(map(_is_no_json, value))
        case dict():
            return any(map(_is_no_json, value.values()))
    return False


def _column(name: str) -> str:
    return f"column {text_excerpt(name, 60)}"
