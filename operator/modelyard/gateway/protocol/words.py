"""How values and names are quoted in messages: on one line, bounded however large they are. Pure."""

from __future__ import annotations

import json

_ELLIPSIS = "…"


def quoted(text: str, longest: int = 60) -> str:
    """Text in double quotes, control characters escaped, cut to `longest` characters."""
    cut = text[: longest - 1] + _ELLIPSIS if len(text) > longest else text
    # JSON read by Python's own reader may hold half a surrogate pair, which no body could be written with.
    return json.dumps(cut, ensure_ascii=False).encode("utf-8", "replace").decode()


def described(value: object) -> str:
    """A JSON value by its kind, and by its text where that is short."""
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    return _scalar(value)


def _scalar(value: object) -> str:
    text = json.dumps(value)
    return f"{text[:40]}{_ELLIPSIS} ({len(text)} characters)" if len(text) > 60 else text


def body_excerpt(body: bytes, longest: int = 200) -> str:
    """The start of a body as quoted text on one line, or `an empty body`."""
    text = " ".join(body[: longest * 8].decode("utf-8", "replace").split())
    return quoted(text, longest) if text else "an empty body"


def listed(names: tuple[str, ...] | list[str], most: int = 5) -> str:
    """The first few names in quotes, and how many more there are."""
    shown = ", ".join(quoted(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
