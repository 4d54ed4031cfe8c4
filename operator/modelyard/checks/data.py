"""The data set of a test: named columns of one length, and the requests that carry its rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

import orjson

from modelyard.api.dataset import DataFormat


class DataError(Exception):
    """The data set cannot be used; the message names the file and, where there is one, line and column."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a data set, by their numbers from 0, as the body of a prediction request."""

    rows: Sequence[int]
    body: bytes


@dataclass(frozen=True, slots=True)
class DataSet:
    """Columns of one common length; at least one column and one row. Where it was read from, if anywhere."""

    columns: dict[str, list[object]]
    name: str = "data"
    format: DataFormat = "json"
    sha256: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))

    def batch(self, rows: Sequence[int]) -> Batch:
        """The request for `rows`, in their order."""
        return Sample(self, rows).plain()

    def first(self, count: int) -> Batch:
        """The request for the first `count` rows, or for all if there are fewer."""
        return self.batch(range(min(count, self.rows)))

    def batches(self, size: int) -> Iterator[Batch]:
        """Requests of `size` rows (the last one of fewer) that cover every row once, in order."""
        return batches(self, range(self.rows), size)


def batches(data: DataSet, rows: range, size: int) -> Iterator[Batch]:
    """Requests of `size` rows (the last one of fewer) that cover `rows` once, in order."""
    for start in range(0, len(rows), size):
        yield data.batch(rows[start : start + size])


@dataclass(frozen=True)
class Sample:
    """Some rows of a data set that are asked for again and again; each column is written as JSON only once."""

    data: DataSet
    rows: Sequence[int]

    def plain(self) -> Batch:
        """The request for the rows as they are."""
        return self.nulled(())

    def nulled(self, columns: Collection[str]) -> Batch:
        """The request for the rows with null for every value of `columns`."""
        parts = (self._nulls if name in columns else part for name, part in self._parts.items())
        pairs = b",".join(b"%b:%b" % pair for pair in zip(self._names, parts, strict=True))
        return Batch(self.rows, b'{"X":{%b}}' % pairs)

    @cached_property
    def _names(self) -> list[bytes]:
        return [to_json(name) for name in self.data.columns]

    @cached_property
    def _parts(self) -> dict[str, bytes]:
        return {name: to_json(_picked(values, self.rows)) for name, values in self.data.columns.items()}

    @cached_property
    def _nulls(self) -> bytes:
        return to_json([None] * len(self.rows))


def to_json(value: object) -> bytes:
    """JSON of a value that holds no NaN. What is too much for the fast encoder is written by Python's own:
    integers of more than 64 bits, and half a surrogate pair."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, allow_nan=False).encode()


def _picked(values: list[object], rows: Sequence[int]) -> Sequence[object]:
    if isinstance(rows, range) and rows.step == 1:
        return values[rows.start : rows.stop]
    return itemgetter(*rows)(values) if len(rows) > 1 else [values[row] for row in rows]
