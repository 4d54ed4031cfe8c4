"""What came back from a model server, and how it is quoted in messages. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `whole` is False when the body was longer than what is read."""

    status: int
    body: bytes
    whole: bool = True
    encoding: str = ""
    """Content-Encoding, where the server compressed the body although nobody asked for that."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """No HTTP answer; `what` happened instead, as the end of a sentence."""

    what: str


Reply = Answer | Trouble


def value_excerpt(value: object, longest: int = 80) -> str:
    """A JSON value as JSON text of at most `longest` characters; cheap however large the value is."""
    if isinstance(value, str):
        return text_excerpt(value, longest)
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        text += piece[: longest + 1]
        if len(text) > longest:
            return _encodable(text[: longest - 1] + _ELLIPSIS)
    return _encodable(text)


def text_excerpt(text: str, longest: int = 200) -> str:
    """Text in double quotes, control characters escaped, cut to `longest` characters."""
    cut = text[: longest - 1] + _ELLIPSIS if len(text) > longest else text
    return _encodable(json.dumps(cut, ensure_ascii=False))


def body_excerpt(body: bytes, longest: int = 200) -> str:
    """The start of a body as quoted text on one line, or `an empty body`."""
    text = " ".join(body[: longest * 8].decode("utf-8", "replace").split())
    return text_excerpt(text, longest) if text else "an empty body"


def described(value: object) -> str:
    """A JSON value by its kind and its text, for messages."""
    shown = value_excerpt(value)
    match value:
        case str():
            return f"the text {shown}"
        case list():
            return f"the list {shown}"
        case dict():
            return f"the object {shown}"
        case _:
            return shown


def keys_excerpt(found: Mapping[str, object]) -> str:
    """The first few keys of an object."""
    return f"its keys are {listed(list(found))}" if found else "it has no keys"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first few names in quotes, and how many more there are."""
    shown = ", ".join(text_excerpt(name, 60) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def named_rows(rows: Sequence[int]) -> str:
    """Rows by their numbers from 0: `row 3`, `rows 3 to 7`, or, where some between are left out, `100 rows`."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    gapless = all(later == earlier + 1 for earlier, later in pairwise(rows))
    return f"rows {rows[0]} to {rows[-1]}" if gapless else f"{len(rows)} rows"


def _encodable(text: str) -> str:
    """JSON may hold half a surrogate pair, which no log and no summary could be written with."""
    return text.encode("utf-8", "replace").decode("utf-8")
