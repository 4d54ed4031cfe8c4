from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.checks.json_places import place_of_value

WORDS = ["", "a", 'a "b"', "{", "]", ",", ":", "\\", "é\n"]


def made(dice: random.Random, depth: int = 3) -> Any:
    """A JSON value with all that a reader could stumble on."""
    if depth == 0 or dice.random() < 0.2:
        return dice.choice([*WORDS, 1, -2.5, True, None])
    if dice.random() < 0.5:
        return [made(dice, depth - 1) for _ in range(dice.randrange(4))]
    return {word: made(dice, depth - 1) for word in dice.sample(WORDS, dice.randrange(4))}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield from paths(member, (*path, key))


@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"separators": (" ,", " :")}], ids=str)
def test_at_its_place_every_value_is_read_again(style: dict[str, Any]) -> None:
    seed = 11
    dice = random.Random(seed)
    for value in (made(dice) for _ in range(200)):
        text = " \r\n\t" + json.dumps(value, ensure_ascii=dice.random() < 0.5, **style) + "\n"
        for path, member in paths(value):
            line, column = map(
                int, place_of_value(text, *path).replace("line", "").replace("column", "").split(",")
            )
            at = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1
            assert json.JSONDecoder().raw_decode(text, at)[0] == member, (text, path)
