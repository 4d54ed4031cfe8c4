from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.checks.data import DataError, load_data_set, parse_data_set


def test_batches_cover_every_row_once_in_order() -> None:
    data = parse_data_set(b'{"a": [1, 2, 3, 4, 5], "b": ["x", null, true, "\\u00e9", "\\ud800"]}')
    batches = list(data.batches(2))
    assert [batch.rows for batch in batches] == [range(2), range(2, 4), range(4, 5)]
    assert [json.loads(batch.body) for batch in batches] == [
        {"X": {"a": [1, 2], "b": ["x", None]}},
        {"X": {"a": [3, 4], "b": [True, "é"]}},
        {"X": {"a": [5], "b": ["\ud800"]}},
    ]


def test_first_rows_are_all_when_there_are_fewer() -> None:
    data = parse_data_set(b'{"a": [1, 2]}')
    assert data.first(1).rows == range(1)
    assert data.first(10).rows == range(2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not JSON (line 1, column 1: Expecting value)"),
        (
            b'{"a": [1],\n "b": [1}',
            "is not JSON (line 2, column 9: Expecting ',' delimiter)",
        ),
        (b"a,b\n1,2\n", "is not JSON (line 1, column 1: Expecting value)"),
        (b'{"a": ["\xff"]}', "is not UTF-8 text (byte 8)"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a": [' + b"1" * 5000 + b"]}", "holds a number of thousands of digits"),
        (b'[{"a": 1}]', 'must be an object of columns, as {"column": [1, 2]}, not [{"a": 1}]'),
        (b"{}", "has no columns"),
        (b'{"a": [], "b": []}', "has no rows: its columns are empty"),
        (b'{"a": [1], "b": 7}', 'column "b" must be a list of values, not 7'),
        (b'{"a": "xyz"}', 'column "a" must be a list of values, not "xyz"'),
        (
            b'{"X": {"a": [1]}}',
            'column "X" must be a list of values, not {"a": [1]}; leave out the "X" around the columns',
        ),
        (b'{"a": [1], "a": [2]}', '"a" is there twice'),
        (
            b'{"a": [1, 2], "b": [1]}',
            'column "b" has 1 values but column "a" has 2; all columns must be of one length',
        ),
        (b'{"a": [1, NaN]}', 'column "a", row 1 (from 0): NaN is not JSON; use null'),
        (b'{"a": [-1e999]}', 'column "a", row 0 (from 0): -Infinity is not JSON; use null'),
    ],
)
def test_unusable_data_is_refused_naming_file_and_place(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_data_set(tmp_path / "rows.json")
    assert str(caught.value) == f"data set rows.json: {problem}"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_data_set(tmp_path / "rows.json")
    assert str(caught.value) == "data set rows.json: cannot be read: No such file or directory"


def test_byte_order_mark_is_no_content() -> None:
    assert parse_data_set(b'\xef\xbb\xbf{"a": [1]}').columns == {"a": [1]}
