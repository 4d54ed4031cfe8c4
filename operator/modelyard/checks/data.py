"""The data set of a test: JSON, one list of values per column."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelyard.checks.answers import text_excerpt, value_excerpt


class DataError(Exception):
    """The data set cannot be used; the message names the file and, where there is one, the column."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a data set, as the body of a prediction request."""

    rows: range
    body: bytes


@dataclass(frozen=True, slots=True)
class DataSet:
    """Columns of one common length; at least one column and one row."""

    columns: dict[str, list[object]]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))

    def batch(self, rows: range) -> Batch:
        """The request for `rows`, a range with step 1 inside the data set."""
        part = {name: values[rows.start : rows.stop] for name, values in self.columns.items()}
        return Batch(rows, json.dumps({"X": part}, allow_nan=False).encode())

    def first(self, count: int) -> Batch:
        """The request for the first `count` rows, or for all if there are fewer."""
        return self.batch(range(min(count, self.rows)))

    def batches(self, size: int) -> Iterator[Batch]:
        """Requests of `size` rows (the last one of fewer) that cover every row once, in order."""
        for start in range(0, self.rows, size):
            yield self.batch(range(start, min(start + size, self.rows)))


def load_data_set(path: Path) -> DataSet:
    """The data set in a file; DataError when it cannot be read or used."""
    try:
        return parse_data_set(path.read_bytes())
    except OSError as error:
        raise DataError(f"data set {path.name}: cannot be read: {error.strerror}") from None
    except DataError as error:
        raise DataError(f"data set {path.name}: {error}") from None


def parse_data_set(content: bytes) -> DataSet:
    """The data set in the content of a file; DataError says what is wrong, and where."""
    columns = _parse_json(content)
    if not isinstance(columns, dict):
        raise DataError(
            f'must be an object of columns, as {{"column": [1, 2]}}, not {value_excerpt(columns)}'
        )
    if not columns:
        raise DataError("has no columns")
    return DataSet(_checked(columns))


def _parse_json(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise DataError(f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise DataError("is nested too deeply") from None
    except ValueError:  # Python refuses integers of more than 4300 digits.
        raise DataError("holds a number of thousands of digits") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise DataError(f"{text_excerpt(name, 60)} is there twice")
        found[name] = value
    return found


def _checked(columns: dict[str, object]) -> dict[str, list[object]]:
    checked: dict[str, list[object]] = {}
    for name, values in columns.items():
        if not isinstance(values, list):
            raise DataError(
                f"{_column(name)} must be a list of values, not {value_excerpt(values)}{_hint(name)}"
            )
        checked[name] = values
    _check_lengths(checked)
    _check_numbers(checked)
    return checked


def _check_lengths(columns: dict[str, list[object]]) -> None:
    first, values = next(iter(columns.items()))
    for name, others in columns.items():
        if len(others) != len(values):
            raise DataError(
                f"{_column(name)} has {len(others)} values but {_column(first)} has {len(values)}; "
                "all columns must be of one length"
            )
    if not values:
        raise DataError("has no rows: its columns are empty")


def _check_numbers(columns: dict[str, list[object]]) -> None:
    """Python reads NaN and 1e999, which are no JSON and which no model could be sent."""
    for name, values in columns.items():
        for row, value in enumerate(values):
            if isinstance(value, float) and not math.isfinite(value):
                raise DataError(
                    f"{_column(name)}, row {row} (from 0): {value_excerpt(value)} is not JSON; use null"
                )


def _column(name: str) -> str:
    return f"column {text_excerpt(name, 60)}"


def _hint(name: str) -> str:
    return '; leave out the "X" around the columns' if name == "X" else ""
