"""The place of a test in the line, in words."""

from __future__ import annotations

import pytest

from modelyard.reconcilers.model_test.line import ordinal

WORDS = ("1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th")


@pytest.mark.parametrize("word", WORDS)
def test_numbers_are_said_as_places(word: str) -> None:
    assert ordinal(int(word[:-2])) == word
