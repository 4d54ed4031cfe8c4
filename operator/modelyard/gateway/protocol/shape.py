"""The shape of a tensor, and lists nested after it. Pure.

Nothing here is sized by what a shape claims before it was compared with the data that came.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import orjson

from modelyard.gateway.protocol.datatypes import Source
from modelyard.gateway.protocol.refusal import Refused
from modelyard.gateway.protocol.words import described

MOST_DIMENSIONS = 8
"""Each may cost one list an element, so they are bounded."""

AT_ONCE = 16_384
"""Elements that are lists of Python objects at one time."""


def read_shape(shape: object, where: str) -> list[int]:
    """A shape of 1 to MOST_DIMENSIONS dimensions, each at least 1."""
    if type(shape) is not list or not 1 <= len(shape) <= MOST_DIMENSIONS:
        raise Refused(
            400,
            f"{where}: shape is {described(shape)}; it must be a list of 1 to {MOST_DIMENSIONS} integers, rows first",
        )
    for size in shape:
        if type(size) is not int or size < 0:
            raise Refused(
                400, f"{where}: shape holds {described(size)}; every dimension must be a positive integer"
            )
    if 0 in shape:
        what = "has no rows" if shape[0] == 0 else "has a dimension of 0"
        raise Refused(400, f"{where}: shape {shape} {what}; every dimension must be a positive integer")
    return shape


def nest(values: list[Any], inner: list[int]) -> list[Any]:
    """A flat list as one of lists of shape `inner`."""
    for size in reversed(inner):
        values = [values[at : at + size] for at in range(0, len(values), size)]
    return values


def nested_depth(data: list[Any]) -> list[int]:
    """The lengths of the first list, of the first list in it, and so on, no deeper than a shape can be."""
    lengths: list[int] = []
    level: Any = data
    while type(level) is list and len(lengths) <= MOST_DIMENSIONS:
        lengths.append(len(level))
        level = level[0] if level else None
    return lengths


def flattened(data: list[Any], lengths: list[int]) -> list[Any] | None:
    """The elements of lists nested as `lengths` say; None when one list is not as long as its siblings."""
    level = data
    for length in lengths[1:]:
        if set(map(type, level)) != {list} or set(map(len, level)) != {length}:
            return None
        level = list(chain.from_iterable(level))
    return level


def as_json(source: Source, shape: list[int]) -> bytes:
    """A tensor as JSON text, of which no more than AT_ONCE elements are Python objects at one time."""
    parts: list[bytes] = []
    _write(source, shape, parts)
    return b"".join(parts)


def _write(source: Source, shape: list[int], parts: list[bytes]) -> None:
    rows, inner = shape[0], shape[1:]
    each = product(inner)
    parts.append(b"[")
    if each > AT_ONCE:
        for row in range(rows):
            parts.append(b"," if row else b"")
            _write(source, inner, parts)
    else:
        step = AT_ONCE // each
        for row in range(0, rows, step):
            part = nest(source(min(step, rows - row) * each), inner)
            parts.append(b"," if row else b"")
            parts.append(orjson.dumps(part)[1:-1])
    parts.append(b"]")


def product(sizes: list[int]) -> int:
    """How many elements a shape claims."""
    total = 1
    for size in sizes:
        total *= size
    return total
