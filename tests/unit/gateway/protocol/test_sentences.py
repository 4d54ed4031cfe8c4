"""How values and names are shown in what a client reads."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.gateway.protocol.words import body_excerpt, described, listed, quoted
from tests.unit.gateway.protocol.asking import body, refusal, tensor


def test_names_in_sentences_are_cut_and_on_one_line() -> None:
    name = "a\n" * 1000
    shown = r"a\n" * 29 + "a…"
    assert refusal(body(tensor([1.5]), tensor([1.5], name=name), tensor([1.5], name=name))) == (
        f'two inputs are named "{shown}"; every name must be given once'
    )


def test_text_is_cut_only_where_it_is_too_long() -> None:
    assert quoted("ü" * 60) == f'"{"ü" * 60}"'
    assert quoted("ü" * 61) == f'"{"ü" * 59}…"'
    assert quoted("\ud800") == '"?"'


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        (float("nan"), "NaN"),
        ("a", 'the text "a"'),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "an object with 1 keys"),
        (10**59, "1" + "0" * 59),
        (10**60, "1" + "0" * 39 + "… (61 characters)"),
    ],
)
def test_a_value_is_told_by_its_kind(value: Any, told: str) -> None:
    assert described(value) == told


def test_of_many_names_a_few_are_listed() -> None:
    assert listed(list("abcde")) == '"a", "b", "c", "d", "e"'
    assert listed(list("abcdef")) == '"a", "b", "c", "d", "e" and 1 more'


def test_of_a_body_the_start_is_told_on_one_line() -> None:
    assert body_excerpt(b" \n\t ") == "an empty body"
    assert body_excerpt(b"a\n  b\xff") == '"a b�"'
    assert body_excerpt(b"a" * 10_000, 5) == '"aaaa…"'
