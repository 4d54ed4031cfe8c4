"""Datatypes of columns, from the values that a test sends."""

from __future__ import annotations

import json

import pytest

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.columns import MAX_SIZE
from modelyard.checks.columns import datatypes, with_columns
from modelyard.checks.data import DataSet

DATA = DataSet({"area": [55.5, 28], "district": ["west", None]})


@pytest.mark.parametrize(
    ("values", "datatype"),
    [
        ([True, False, None], "BOOL"),
        ([1, None, -(2**63), 2**63 - 1], "INT64"),
        ([1, 2**63], "FP64"),
        ([-(2**63) - 1], "FP64"),
        ([1, 2.5, None], "FP64"),
        ([1.0], "FP64"),
        (["", "Łódź", None], "BYTES"),
        ([None, None], "FP64"),
    ],
)
def test_a_column_has_the_datatype_of_all_its_values(values: list[object], datatype: str) -> None:
    assert datatypes({"x": values}) == {"x": datatype}


@pytest.mark.parametrize("values", [[1, "a"], [True, 1], [True, 0.5], [[1, 2]], [{"a": 1}], ["a", [1]]])
def test_one_column_without_a_datatype_leaves_all_untold(values: list[object]) -> None:
    assert datatypes({"area": [1.5] * len(values), "x": values}) == {}


def test_a_column_without_a_name_leaves_all_untold() -> None:
    assert datatypes({"area": [1.5], "": [1]}) == {}
    assert datatypes({"half \ud800": [1]}) == {}


def test_columns_are_told_in_their_order() -> None:
    assert list(datatypes({"b": [1], "a": [1.5], "c": ["x"]}).items()) == [
        ("b", "INT64"),
        ("a", "FP64"),
        ("c", "BYTES"),
    ]


def test_columns_that_are_too_long_are_left_untold() -> None:
    longest = "x" * (MAX_SIZE - len('{"":"INT64"}'))
    assert datatypes({longest: [1]}) == {longest: "INT64"}
    assert datatypes({f"{longest}x": [1]}) == {}
    many = {f"column_{number}": [number] for number in range(100)}
    assert len(datatypes(many)) == 100
    assert len(json.dumps(datatypes(many), separators=(",", ":"))) > MAX_SIZE * 0.95


def _summary(word: CheckStatus) -> CheckSummary:
    outcome = CheckOutcome(status=word, message="")
    return CheckSummary(overall_status=word, checks={CheckName.ERROR_CHECK: outcome})


def test_columns_are_told_of_data_that_was_predicted() -> None:
    told = with_columns(_summary(CheckStatus.SUCCEEDED), DATA)
    assert told.columns == {"area": "FP64", "district": "BYTES"}


@pytest.mark.parametrize("word", [CheckStatus.FAILED, CheckStatus.SKIPPED, CheckStatus.ABORTED])
def test_no_columns_are_told_of_data_that_was_not_predicted(word: CheckStatus) -> None:
    assert with_columns(_summary(word), DATA) == _summary(word)


def test_no_columns_are_told_without_data() -> None:
    assert with_columns(_summary(CheckStatus.SUCCEEDED), None) == _summary(CheckStatus.SUCCEEDED)
    nested = DataSet({"x": [[1]]})
    assert b"columns" not in with_columns(_summary(CheckStatus.SUCCEEDED), nested).to_termination()
