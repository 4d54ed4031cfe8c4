"""A data set written as CSV: a header line with the columns' names, then a line a row (RFC 4180). Pure.

Quotes, commas and line ends are read here; what the values mean is decided by `typed`. docs/data.md has the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelyard.checks.answers import text_excerpt
from modelyard.checks.csv_types import NotJsonError, typed
from modelyard.checks.data import DataError

_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_PLAIN = re.compile(r"[^,\n]*")
_END = re.compile(r"\r?\n|\r?\Z")
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class _Record:
    """The values of one line, or of several where a quoted value holds line ends."""

    line: int
    values: list[str]


def parse_csv(text: str) -> dict[str, list[object]]:
    """The columns in the text of a CSV file; DataError says what is wrong, and where."""
    records = _records(text if "\n" in text else text.replace("\r", "\n"))
    header = next(records, None)
    if header is None:
        raise DataError("is empty: it needs a header line with the columns' names, then a line a row")
    _check_header(header)
    rows = list(records)
    _check_lengths(header, rows)
    if not rows:
        raise DataError("has no rows: there is only a header line")
    return {name: _column(name, number, rows) for number, name in enumerate(header.values)}


def _column(name: str, number: int, rows: Sequence[_Record]) -> list[object]:
    try:
        return typed([row.values[number] for row in rows])
    except NotJsonError as error:
        where = f"line {rows[error.row].line}, column {text_excerpt(name, 60)}"
        raise DataError(f"{where}: {error}") from None


def _check_header(header: _Record) -> None:
    if header.values[0][:1] in ("{", "["):
        raise DataError(f"line {header.line}: is it JSON? Then the format must be json")
    if len(header.values) == 1:
        for separator, title in _OTHER_SEPARATORS.items():
            if separator in header.values[0]:
                shown = text_excerpt(header.values[0], 60)
                raise DataError(
                    f"line {header.line}: the header {shown} is one column; separate by commas, not {title}"
                )
    for number, name in enumerate(header.values):
        if not name.strip():
            raise DataError(
                f"line {header.line}: column {number + 1} has no name (an index of pandas? write it with index=False)"
            )
        if (first := header.values.index(name)) < number:
            twice = f"{text_excerpt(name, 60)} is there twice, as columns {first + 1} and {number + 1}"
            raise DataError(f"line {header.line}: {twice}")


def _check_lengths(header: _Record, rows: Sequence[_Record]) -> None:
    wanted = len(header.values)
    for row in rows:
        found = len(row.values)
        if found < wanted:
            where = f"line {row.line}, column {text_excerpt(header.values[found], 60)}"
            counts = f"the line has {_count(found, 'value')}, the header names {_count(wanted, 'column')}"
            raise DataError(f"{where}: no value; {counts}")
        if found > wanted:
            values = f"{_count(found, 'value')}, from column {wanted + 1} on too many"
            raise DataError(f"line {row.line}: {values}; the header names {_count(wanted, 'column')}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _records(text: str) -> Iterator[_Record]:
    """Every line that is not blank; only one with quotes must be read sign by sign."""
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        row = text[at : end if end >= 0 else len(text)]
        if '"' in row:
            values, after = _quoted(text, at)
            yield _Record(line, values)
            line += text.count("\n", at, after)
            at = after
            continue
        if row := row.removesuffix("\r"):
            yield _Record(line, row.split(","))
        if end < 0:
            return
        at, line = end + 1, line + 1


def _quoted(text: str, at: int) -> tuple[list[str], int]:
    """The values of the record at `at`, some of them in quotes, and where the next record begins."""
    values: list[str] = []
    while True:
        value, at = _value(text, at)
        if end := _END.match(text, at):
            return [*values, value], end.end()
        values.append(value)
        at += 1


def _value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        plain = _PLAIN.match(text, at)
        value = plain[0] if plain else ""
        last = not text.startswith(",", at + len(value))
        value = value.removesuffix("\r") if last else value
        return value, at + len(value)
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise DataError(f"{_place(text, at)}: a quoted value begins here and never ends")
    after = quoted.end()
    if not text.startswith(",", after) and not _END.match(text, after):
        raise DataError(
            f"{_place(text, after)}: a quoted value has ended before this; a quote in it is written twice"
        )
    return quoted[1].replace('""', '"'), after


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"
