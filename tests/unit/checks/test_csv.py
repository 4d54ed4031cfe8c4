from __future__ import annotations

import csv
import io
import random

import pytest

from modelyard.checks.csv_data import parse_csv
from modelyard.checks.csv_types import NotJsonError, typed
from modelyard.checks.data import DataError
from modelyard.checks.data_files import parse_data_set


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a\n1", {"a": [1]}),
        ("a\n1\n\n2\n\n", {"a": [1, 2]}),
        ("\r\na\r\n1\r\n", {"a": [1]}),
        ("a,b\r1,2\r3,4", {"a": [1, 3], "b": [2, 4]}),
        ('a\n""\n1', {"a": [None, 1]}),
        ("a,b\n1,\n,2\n", {"a": [1, None], "b": [None, 2]}),
        ('a,b\n"1",', {"a": [1], "b": [None]}),
        ('"a ""x""","b\nc"\n1,2\n', {'a "x"': [1], "b\nc": [2]}),
        ('a,b\n"x\r\ny",1\r\n"z",2\r\n', {"a": ["x\r\ny", "z"], "b": [1, 2]}),
        ('a,b\n5" pipe,1\n', {"a": ['5" pipe'], "b": [1]}),
        ("z,a,m\n1,2,3", {"z": [1], "a": [2], "m": [3]}),
        (" a ,b\nx,y", {" a ": ["x"], "b": ["y"]}),
    ],
)
def test_lines_and_quotes_are_read(text: str, columns: dict[str, list[object]]) -> None:
    assert list(parse_csv(text).items()) == list(columns.items())


def test_what_other_programs_write_is_read_as_they_read_it() -> None:
    """Random values with all that needs quoting, written by Python's csv module."""
    seed = 7
    letters = random.Random(seed)
    rows = [
        ["".join(letters.choices('ab",\n\r 1', k=letters.randrange(1, 6))) for _ in range(3)]
        for _ in range(500)
    ]
    everything_quoted, little_quoted = io.StringIO(), io.StringIO()
    writers = (
        csv.writer(everything_quoted, lineterminator="\n", quoting=csv.QUOTE_ALL),
        csv.writer(little_quoted, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL),
    )
    for writer, written in zip(writers, (everything_quoted, little_quoted), strict=True):
        writer.writerows([("x", "y", "z"), *rows, ("a", "b", "c")])
        read = parse_csv(written.getvalue())
        assert [list(row) for row in zip(*read.values(), strict=True)] == [*rows, ["a", "b", "c"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty: it needs a header line with the columns' names, then a line a row"),
        ("\n\n", "is empty: it needs a header line with the columns' names, then a line a row"),
        ("a,b\n1,2,3\n", "line 2: 3 values, from column 3 on too many; the header names 2 columns"),
        ("a\n1,2\n", "line 2: 2 values, from column 2 on too many; the header names 1 column"),
        (
            'a,b\n"x\ny",2\n\n3\n',
            'line 5, column "b": no value; the line has 1 value, the header names 2 columns',
        ),
        ('a,b\n"x\ny","z', "line 3, column 4: a quoted value begins here and never ends"),
        (
            'a,b\n1,"x"y\n',
            "line 2, column 6: a quoted value has ended before this; a quote in it is written twice",
        ),
        ("a\tb\n1\t2", 'line 1: the header "a\\tb" is one column; separate by commas, not tabs'),
        ("a, ,c\n1,2,3", "line 1: column 2 has no name (an index of pandas? write it with index=False)"),
        ('{"a": [1]}', "line 1: is it JSON? Then the format must be json"),
        (
            'a,b\n"x\ny",1\n"z",-Infinity\n',
            'line 4, column "b": "-Infinity" is no finite number; leave the value empty',
        ),
        (
            "a\n1\n" + "9" * 400,
            f'line 3, column "a": "{"9" * 39}…" is no finite number; leave the value empty',
        ),
    ],
)
def test_unusable_csv_is_refused_naming_the_place(text: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_csv(text)
    assert str(caught.value) == problem


def test_utf_16_as_spreadsheets_write_it_is_refused() -> None:
    with pytest.raises(DataError, match=r"^is not UTF-8 text \(line 1, column 1\)$"):
        parse_data_set("a,b\n1,2\n".encode("utf-16"), "csv")


def test_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert parse_data_set("\ufeffa,b\n1,2\n".encode(), "csv").columns == {"a": [1], "b": [2]}


@pytest.mark.parametrize("word", ["inf", "INF", "-inf", "Infinity", "1e999"])
def test_infinite_number_is_text_only_among_text(word: str) -> None:
    assert typed([word, "x"]) == [word, "x"]
    with pytest.raises(NotJsonError, match="is no finite number"):
        typed([word, "1"])


def test_one_word_makes_a_column_text_whatever_the_others_are() -> None:
    assert typed(["1", "2.5", "true", "x"]) == ["1", "2.5", "true", "x"]


def test_integers_beside_decimal_numbers_keep_their_digits() -> None:
    assert typed(["9007199254740993", "0.5"]) == [9007199254740993, 0.5]
