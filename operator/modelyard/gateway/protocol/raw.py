"""The elements of raw tensors: little-endian, row by row, as the binary tensor extension lays them down. Pure."""

from __future__ import annotations

import math
import struct
import sys
from typing import Any

from modelyard.gateway.protocol.datatypes import JSON_TEXTS, Datatype, Source, infinite
from modelyard.gateway.protocol.refusal import Unfit, Wrong
from modelyard.gateway.protocol.words import described

_LENGTH = struct.Struct("<I")
_LENGTHS = "the lengths of its elements and binary_data_size do not agree"
_CAST = sys.byteorder == "little"
"""Whether this machine's own numbers lie in memory as the protocol's do."""


def raw_source(raw: memoryview, datatype: Datatype, count: int) -> Source:
    """The `count` elements in `raw`, whose size was checked. `Unfit` from the source for what no model can be told."""
    if datatype.size == 0:
        source = _texts(bytes(raw), count)
        return source if datatype is not JSON_TEXTS else lambda some: datatype.check(source(some))
    if datatype.name == "BOOL":
        return _booleans(raw)
    return _numbers(raw, datatype)


def _numbers(raw: memoryview, datatype: Datatype) -> Source:
    size, at = datatype.size, 0
    code: Any = datatype.code
    floats, cast = datatype.name.startswith("FP"), _CAST and code != "e"

    def take(count: int) -> list[Any]:
        nonlocal at
        part = raw[at : at + count * size]
        values: list[Any] = part.cast(code).tolist() if cast else list(struct.unpack(f"<{count}{code}", part))
        if floats and infinite(values):
            bad = next(index for index, value in enumerate(values) if math.isinf(value))
            raise Unfit(at // size + bad, f"is {described(values[bad])}")
        at += count * size
        return values

    return take


def _booleans(raw: memoryview) -> Source:
    at = 0

    def take(count: int) -> list[Any]:
        nonlocal at
        part = bytes(raw[at : at + count])
        if part.translate(None, b"\0\1"):
            bad = next(index for index, value in enumerate(part) if value > 1)
            raise Unfit(at + bad, f"is the byte {part[bad]}, not 0 or 1")
        at += count
        return memoryview(part).cast("?").tolist()

    return take


def _texts(data: bytes, total: int) -> Source:
    """Each element is its length in four bytes, then that many bytes of UTF-8."""
    at, done = 0, 0
    length_at = _LENGTH.unpack_from

    def take(count: int) -> list[Any]:
        nonlocal at, done
        values: list[Any] = []
        try:
            for _ in range(count):
                start = at + 4
                at = start + length_at(data, at)[0]
                values.append(data[start:at].decode())
        except (struct.error, UnicodeDecodeError) as problem:
            if isinstance(problem, UnicodeDecodeError) and at <= len(data):
                raise Unfit(done + len(values), "is not UTF-8 and so cannot be told to a model") from None
            raise Wrong(_LENGTHS) from None
        done += count
        if at > len(data) or (done == total and at < len(data)):
            raise Wrong(_LENGTHS)
        return values

    return take
