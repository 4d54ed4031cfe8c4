"""The elements of raw tensors: little-endian, row by row, as the binary tensor extension lays them down. Pure."""

from __future__ import annotations

import struct
import sys
from typing import Any

from modelyard.gateway.protocol.datatypes import Datatype, Source, Unfit, infinite

_CAST = sys.byteorder == "little"
"""Whether this machine's own numbers lie in memory as the protocol's do."""


def raw_source(raw: memoryview, datatype: Datatype) -> Source:
    """The elements in `raw`, whose size was checked. `Unfit` from the source where one cannot be told to a model."""
    if datatype.size == 0:
        return _texts(raw)
    if datatype.name == "BOOL":
        return _booleans(raw)
    return _numbers(raw, datatype)


def _numbers(raw: memoryview, datatype: Datatype) -> Source:
    size, at = datatype.size, 0
    code: Any = datatype.code
    floats, cast = datatype.name.startswith("FP"), _CAST and datatype.code != "e"

    def take(count: int) -> list[Any]:
        nonlocal at
        part = raw[at : at + count * size]
        values: list[Any] = part.cast(code).tolist() if cast else list(struct.unpack(f"<{count}{code}", part))
        if floats and infinite(values):
            bad = next(index for index, value in enumerate(values) if abs(value) == float("inf"))
            raise Unfit(at // size + bad, f"is {values[bad]}")
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


def _texts(raw: memoryview) -> Source:
    """Each element is its length in four bytes, then that many bytes."""
    data, at, done = bytes(raw), 0, 0

    def take(count: int) -> list[Any]:
        nonlocal at, done
        values: list[Any] = []
        for index in range(done, done + count):
            start = at + 4
            at = start + int.from_bytes(data[at:start], "little")
            if at > len(data) or start > len(data):
                raise Unfit(index, "reaches beyond binary_data_size")
            values.append(_text(data[start:at], index))
        done += count
        return values

    return take


def _text(data: bytes, index: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unfit(index, "is not UTF-8, and so cannot be told to a model") from None


def texts_size(raw: memoryview, count: int) -> int | None:
    """How many bytes the first `count` elements of BYTES take; None when they reach beyond `raw`."""
    data, at = bytes(raw), 0
    for _ in range(count):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "little")
        if start > len(data):
            return None
    return at if at <= len(data) else None
