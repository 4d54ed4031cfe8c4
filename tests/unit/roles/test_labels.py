"""Labels: their order, and which comes next."""

from __future__ import annotations

import itertools

import pytest

from modelyard.roles.labels import FIRST, Label, following, highest, parse

IN_ORDER = ["0.0", "0.1", "0.10", "1.0", "1.1", "1.9", "1.10", "2.0", "10.0", "999999999.999999999"]


@pytest.mark.parametrize(("lower", "higher"), list(itertools.combinations(IN_ORDER, 2)))
def test_labels_compare_by_number(lower: str, higher: str) -> None:
    assert parse(lower) < parse(higher)
    assert highest([higher, lower]) == highest([lower, higher]) == parse(higher)


@pytest.mark.parametrize("text", IN_ORDER)
def test_a_label_is_written_as_it_was_read(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "1.0.0", "v1.0"])
def test_nothing_else_is_a_label(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse(text)


def test_of_no_labels_none_is_highest() -> None:
    assert highest([]) is None


@pytest.mark.parametrize("major", [True, False])
def test_the_first_is_one_point_zero_whatever_the_flag(major: bool) -> None:
    assert following(None, major=major) == FIRST == Label(1, 0)


@pytest.mark.parametrize(
    ("top", "major", "expected"),
    [
        ("1.0", True, "2.0"),
        ("1.0", False, "1.1"),
        ("1.9", False, "1.10"),
        ("1.9", True, "2.0"),
        ("0.0", True, "1.0"),
        ("0.0", False, "0.1"),
        ("7.3", True, "8.0"),
    ],
)
def test_the_next_is_a_new_major_or_a_new_minor(top: str, major: bool, expected: str) -> None:
    assert str(following(parse(top), major=major)) == expected
