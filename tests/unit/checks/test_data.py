from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from modelyard.api.dataset import DataFormat
from modelyard.checks.data import DataError, Sample
from modelyard.checks.data_files import load_data_set, parse_data_set


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
        (
            b"a,b\n1,2\n",
            "is not JSON (line 1, column 1: Expecting value); if it is CSV, the format must be csv",
        ),
        (
            b'{"a": 1}\n{"a": 2}',
            "is not JSON (line 2, column 1: Extra data); one object a line is JSON Lines: "
            "put the objects into one list, [{...}, {...}]",
        ),
        (b'{"a":\n ["\xff"]}', "is not UTF-8 text (line 2, column 4)"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a": [' + b"1" * 5000 + b"]}", "line 1, column 8: a number of thousands of digits"),
        (
            b"\n 3",
            'line 2, column 2: must be an object of columns, as {"column": [1, 2]}, or a list of rows, '
            'as [{"column": 1}], not 3',
        ),
        (b"[]", "has no rows: its list is empty"),
        (b"[{}, {}]", "has no columns: its rows are empty"),
        (b'[{"a": 1}, [2]]', "line 1, column 12: row 1 (from 0) must be an object, not [2]"),
        (
            b'[{"a": 1}, {"c": "[{,",\n "b" : [1, -1e999]}]',
            'line 2, column 8: column "b", row 1 (from 0): [1, -Infinity] is not JSON; use null',
        ),
        (
            b'[{"a": {"b": [1, NaN]}}]',
            'line 1, column 8: column "a", row 0 (from 0): {"b": [1, NaN]} is not JSON; use null',
        ),
        (b'[{"a": {"b": 1}, "c": 2, "b": 3, "a": 4}]', 'line 1, column 34: "a" is there twice in one object'),
        (b"{}", "has no columns"),
        (b'{"a": [], "b": []}', "has no rows: its columns are empty"),
        (b'{"a": [1], "b": 7}', 'line 1, column 17: column "b" must be a list of values, not 7'),
        (b'\n {"a"\t:\r\n"xyz"}', 'line 3, column 1: column "a" must be a list of values, not "xyz"'),
        (
            b'{"X": {"a": [1]}}',
            'line 1, column 7: column "X" must be a list of values, not {"a": [1]}; '
            'leave out the "X" around the columns',
        ),
        (
            b'{"a": {"0": 1}}',
            'line 1, column 7: column "a" must be a list of values, not {"0": 1}; '
            'pandas writes lists with orient="list" and rows with orient="records"',
        ),
        (b'{"a": [1],\n "a": [2]}', 'line 2, column 2: "a" is there twice in one object'),
        (
            b'[{"a": "}{"},\n {"b": {"a": 1}, "\\"": 1, "c": 2, "\\u0063" : 3}]',
            'line 2, column 35: "c" is there twice in one object',
        ),
        (
            b'{"a": [1, 2], "b": [1]}',
            'line 1, column 20: column "b" has 1 values but column "a" has 2; all columns must be of one length',
        ),
        (
            '{"ä,": [1],\n "\\u00e9\\"": [NaN]}'.encode(),
            'line 2, column 15: column "é\\"", row 0 (from 0): NaN is not JSON; use null',
        ),
        (b'{"a": [-1e999]}', 'line 1, column 8: column "a", row 0 (from 0): -Infinity is not JSON; use null'),
    ],
)
def test_unusable_data_is_refused_naming_file_and_place(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_data_set(tmp_path / "rows.json")
    assert str(caught.value) == f"data set rows.json: {problem}"


def test_rows_become_columns_in_the_order_of_first_appearance() -> None:
    """What a row lacks is null, and the names of a later row come last."""
    data = parse_data_set(b'[{"b": 1, "a": "x"}, {"a": null, "c": true}, {}]')
    assert list(data.columns.items()) == [
        ("b", [1, None, None]),
        ("a", ["x", None, None]),
        ("c", [None, True, None]),
    ]


def test_rows_of_ever_other_names_are_refused_before_they_grow() -> None:
    rows = json.dumps([{str(number): 1} for number in range(8000)]).encode()
    with pytest.raises(DataError, match=r"^has 8000 columns in 8000 rows: more than 50000000 values$"):
        parse_data_set(rows)


@pytest.mark.parametrize("number", ["9007199254740993", "-18446744073709551617", "1" * 60])
@pytest.mark.parametrize(("form", "text"), [("json", '{{"a": [{}]}}'), ("csv", "a\n{}\n")])
def test_no_digit_of_an_integer_is_lost(number: str, form: DataFormat, text: str) -> None:
    data = parse_data_set(text.format(number).encode(), form)
    assert data.first(1).body == f'{{"X":{{"a":[{number}]}}}}'.encode()


def test_half_a_surrogate_pair_is_sent_as_it_was_written() -> None:
    assert json.loads(parse_data_set(b'{"\\ud800": ["\\udc00"]}').first(1).body) == {
        "X": {"\ud800": ["\udc00"]}
    }


def test_columns_keep_their_order_in_the_request() -> None:
    assert parse_data_set(b"z,a,m\n1,2,3\n", "csv").first(1).body == b'{"X":{"z":[1],"a":[2],"m":[3]}}'


def test_rows_are_picked_in_any_order() -> None:
    data = parse_data_set(b'{"a": [1, 2, 3], "b": ["x", "y", "z"]}')
    assert data.batch((2, 0)).body == b'{"X":{"a":[3,1],"b":["z","x"]}}'
    assert data.batch((1,)).body == b'{"X":{"a":[2],"b":["y"]}}'


def test_nulled_columns_keep_their_place() -> None:
    sample = Sample(parse_data_set(b'{"a": [1, 2, 3], "b": [4, 5, 6], "c": [7, 8, 9]}'), (0, 2))
    assert sample.nulled({"b"}).body == b'{"X":{"a":[1,3],"b":[null,null],"c":[7,9]}}'
    assert sample.plain().body == b'{"X":{"a":[1,3],"b":[4,6],"c":[7,9]}}'
    assert list(sample.nulled({"b"}).rows) == [0, 2]


def test_data_set_says_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a\n1\n")
    data = load_data_set(tmp_path / "rows.csv", "csv")
    assert (data.name, data.format, data.rows) == ("rows.csv", "csv", 1)
    assert data.sha256 == hashlib.sha256(b"a\n1\n").hexdigest()


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_data_set(tmp_path / "rows.json")
    assert str(caught.value) == "data set rows.json: cannot be read: No such file or directory"


def test_byte_order_mark_is_no_content() -> None:
    assert parse_data_set(b'\xef\xbb\xbf{"a": [1]}').columns == {"a": [1]}
