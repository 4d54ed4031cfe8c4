"""Where in the text of a JSON file a value stands, which Python's reader does not keep. Pure.

It is looked for only when something is wrong, in a text that was read before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def place_of(text: str, at: int) -> str:
    """The line and the column of a position, both from 1."""
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def place_of_value(text: str, *path: str | int) -> str:
    """The line and the column of the value that the names and numbers lead to."""
    at = _after_blank(text, 0)
    for step in path:
        at = next(begin for key, begin in _members(text, at) if key == step)
    return place_of(text, at)


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """The members of the object or the list at `at`: name or number, and where the value begins."""
    is_object, number = text[at] == "{", 0
    at = _after_blank(text, at + 1)
    while text[at] not in "]}":
        key: str | int = number
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _after_blank(text, _after_blank(text, at) + 1)  # the colon
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _after_blank(text, at)
        if text[at] == ",":
            at = _after_blank(text, at + 1)
        number += 1


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
