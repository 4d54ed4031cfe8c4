"""How JSON and raw tensors lie in one body: the binary tensor extension. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

import orjson

from modelyard.gateway.protocol.refusal import Refused, Wrong
from modelyard.gateway.protocol.words import quoted

MOST_LISTS: Final = 1_000_000
"""Lists and objects in a document: an empty one takes 30 times as much memory as its text."""

MOST_SLOWLY: Final = 1024 * 1024
"""Bytes of JSON whose numbers may be read one by one."""

_MUCH: Final = 1024 * 1024
"""Bytes of raw tensors, of which each becomes up to 40 of Python's."""

_LONG_INTEGER: Final = re.compile(rb"[\[:,\s-][0-9]{19}")
"""Integers that may lie beyond 64 bits; it looks at texts, too, but seldom finds some there."""


def header_length(value: bytes | str | None) -> int | None:
    """The value of Inference-Header-Content-Length: bytes of JSON before the raw tensors. None: there is no header."""
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    digits = text.strip(" \t")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise Refused(400, f"Inference-Header-Content-Length is {quoted(text)}; it must be a number of bytes")
    return int(digits)


class Tail:
    """The raw tensors behind the JSON of a request, taken one after the other."""

    __slots__ = ("_at", "_raw", "much")

    def __init__(self, body: bytes, header: int) -> None:
        self._raw = memoryview(body)
        self._at = header
        self.much = len(body) > _MUCH
        """Whether they are too much to be Python objects all at one time, though each by itself may be short."""

    def take(self, size: int) -> memoryview:
        """The next `size` bytes; `Wrong` when there are not as many."""
        start, left = self._at, len(self._raw) - self._at
        if size > left:
            raise Wrong(f"binary_data_size is {size}, but only {left} bytes of the body are left for it")
        self._at = start + size
        return self._raw[start : start + size]

    def close(self) -> None:
        """Refuses bytes that no input took."""
        left = len(self._raw) - self._at
        if left:
            raise Refused(400, f"{left} bytes at the end of the body belong to no input's binary_data_size")


def split(body: bytes, header: int | None) -> tuple[bytes, Tail | None]:
    """The JSON of a request, and what lies behind it."""
    if header is None:
        return body, None
    if header > len(body):
        raise Refused(
            400, f"Inference-Header-Content-Length is {header}, but the body has only {len(body)} bytes"
        )
    return body[:header], Tail(body, header)


def lists_in(text: bytes) -> int:
    """No fewer than the lists and objects in JSON, for a small part of what it costs to read it."""
    return text.count(b"[") + text.count(b"{")


def read_json(text: bytes) -> object:
    """The document in `text`; NaN and infinities, which Python's clients write, are read too."""
    if len(text) > MOST_LISTS and lists_in(text) > MOST_LISTS:
        raise Refused(
            413, f"the body holds more than {MOST_LISTS} lists and objects; data may be sent as one flat list"
        )
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        if b"NaN" in text or b"Infinity" in text:
            return _read_slowly(text)
        _not_json(problem)


def _read_slowly(text: bytes) -> object:
    try:
        document = json.loads(text, parse_int=_integer) if _has_long_integers(text) else json.loads(text)
        orjson.dumps(document)  # Refuses half a surrogate pair, which could be passed on to nobody.
    except RecursionError:
        raise Refused(400, "the body is nested too deeply") from None
    except orjson.JSONEncodeError:
        raise Refused(400, "the body holds text that is not Unicode, or is nested too deeply") from None
    except ValueError as problem:
        _not_json(problem)
    return document


def _has_long_integers(text: bytes) -> bool:
    """Whether there may be integers that Python reads otherwise than orjson; `Refused` where there are too many."""
    found = _LONG_INTEGER.search(text) is not None
    if found and len(text) > MOST_SLOWLY:
        raise Refused(
            413,
            "the body holds NaN or Infinity beside integers of more than 18 digits; "
            f"such a one may have {MOST_SLOWLY} bytes",
        )
    return found


def _integer(digits: str) -> Any:
    """As orjson reads it: a double beyond 64 bits."""
    if len(digits) < 19:
        return int(digits)
    number = float(digits)
    if math.isinf(number):
        raise ValueError("number out of range")
    if abs(number) > 2.0**64:
        return number
    exact = int(digits)
    return exact if -(2**63) <= exact < 2**64 else number


def _not_json(problem: ValueError) -> NoReturn:
    raise Refused(400, f"the body is not JSON: {str(problem)[:200]}") from None
