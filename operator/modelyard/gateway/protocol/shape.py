"""The shape of a tensor, and lists nested after it. Pure.

Nothing here is sized by what a shape claims before it was compared with the data that came.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import orjson

from modelyard.gateway.protocol.datatypes import Source
from modelyard.gateway.protocol.refusal import Wrong
from modelyard.gateway.protocol.words import described

MOST_DIMENSIONS = 8
"""Each may cost one list an element, so they are bounded."""

AT_ONCE = 4_096
"""Elements that are lists of Python objects at one time."""

_FEW = 64
"""So many values are cut off faster as tuples than as slices."""


def read_shape(shape: object) -> list[int]:
    """A shape of 1 to MOST_DIMENSIONS dimensions, each at least 1."""
    if type(shape) is not list or not 1 <= len(shape) <= MOST_DIMENSIONS:
        raise Wrong(
            f"shape is {described(shape)}; it must be a list of 1 to {MOST_DIMENSIONS} integers, rows first"
        )
    for size in shape:
        if type(size) is not int or size < 1:
            raise Wrong(_unfit_dimension(shape, size))
    return shape


def _unfit_dimension(shape: list[Any], size: object) -> str:
    if type(shape[0]) is int and shape[0] == 0:
        return "shape begins with 0, so there are no rows; at least one is needed"
    return f"shape holds {described(size)}; every dimension must be an integer of at least 1"


def nest(values: list[Any], inner: list[int]) -> list[Any]:
    """A flat list as one of lists (or tuples, which is the same in JSON) of shape `inner`."""
    for size in reversed(inner):
        if size <= _FEW:
            values = list(zip(*[iter(values)] * size, strict=True))
        else:
            values = [values[at : at + size] for at in range(0, len(values), size)]
    return values


def nested_lengths(data: list[Any]) -> list[int]:
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


class TooLong(Exception):
    """What a tensor becomes for a model is longer than may be."""


class Pieces(list[bytes]):
    """JSON text in pieces, so that a large tensor is copied only once: into the body for the model."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.size = 0
        """Bytes of all pieces."""

        self._most = most

    def add(self, piece: bytes) -> None:
        """One piece more; `TooLong` when they are more than `most` bytes: what would follow is never made."""
        self.append(piece)
        self.size += len(piece)
        if self.size > self._most:
            raise TooLong


def as_json(source: Source, shape: list[int], most: int) -> Pieces:
    """A tensor as JSON text of at most `most` bytes, of which no more than AT_ONCE elements are Python objects at one
    time."""
    pieces = Pieces(most)
    _write(source, shape, pieces)
    return pieces


def _write(source: Source, shape: list[int], pieces: Pieces) -> None:
    rows, inner = shape[0], shape[1:]
    each = product(inner)
    pieces.add(b"[")
    if each > AT_ONCE:
        for row in range(rows):
            pieces.add(b"," if row else b"")
            _write(source, inner, pieces)
    else:
        step = AT_ONCE // each
        for row in range(0, rows, step):
            part = nest(source(min(step, rows - row) * each), inner)
            pieces.add(b"," if row else b"")
            pieces.add(orjson.dumps(part)[1:-1])
    pieces.add(b"]")


def product(sizes: list[int]) -> int:
    """How many elements a shape claims."""
    total = 1
    for size in sizes:
        total *= size
    return total
