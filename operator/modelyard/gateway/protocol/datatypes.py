"""The datatypes of tensors: which JSON values each takes, and how its raw bytes are read. Pure.

A `Source` gives a tensor's elements in their order, some at a time, so that no more than those exist as Python
objects. Everywhere `None` is a missing value; NaN is one too (orjson writes both as null).
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from modelyard.gateway.protocol.words import described

Source = Callable[[int], list[Any]]
"""The next so many elements; at most as many are asked for as there are."""

Check = Callable[[list[Any]], list[Any]]


class Unfit(Exception):
    """Element `index` does not fit its datatype; `what` is the verb and the rest of a sentence about it."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(index, what)
        self.index = index
        self.what = what


class Datatype(NamedTuple):
    """One datatype of the protocol."""

    name: str
    takes: str
    """What an element may be, for messages."""

    check: Check
    """JSON values as values of this datatype; the same list where nothing had to be changed. `Unfit` otherwise."""

    size: int
    """Bytes of one element in raw data; 0: each tells its own length (BYTES)."""

    code: str
    """Its letter in `struct`."""


def _one_by_one(values: list[Any], fit: Callable[[Any], Any]) -> list[Any]:
    found: list[Any] = []
    for index, value in enumerate(values):
        if value is None:
            found.append(None)
            continue
        try:
            found.append(fit(value))
        except (ValueError, OverflowError):
            raise Unfit(index, f"is {described(value)}") from None
    return found


def _fit_bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is int and value in (0, 1):
        return value == 1
    raise ValueError


def _check_bool(values: list[Any]) -> list[Any]:
    return values if set(map(type, values)) == {bool} else _one_by_one(values, _fit_bool)


def _check_text(values: list[Any]) -> list[Any]:
    return values if set(map(type, values)) == {str} else _one_by_one(values, _fit_text)


def _fit_text(value: Any) -> str:
    if type(value) is str:
        return value
    raise ValueError


def _integers(low: int, high: int) -> Check:
    def fit(value: Any) -> int:
        if type(value) is float and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if type(value) is int and low <= value <= high:
            return value
        raise ValueError

    def check(values: list[Any]) -> list[Any]:
        if set(map(type, values)) == {int} and min(values) >= low and max(values) <= high:
            return values
        return _one_by_one(values, fit)

    return check


def _floats(fit: Callable[[float], float]) -> Callable[[Any], float]:
    def fit_any(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise ValueError
        found = fit(float(value))
        if math.isinf(found):
            raise ValueError
        return found

    return fit_any


_fit_double = _floats(lambda value: value)
_fit_single = _floats(lambda value: array("f", (value,))[0])
_fit_half = _floats(lambda value: float(struct.unpack("<e", struct.pack("<e", value))[0]))


def _check_double(values: list[Any]) -> list[Any]:
    if set(map(type, values)) == {float} and not infinite(values):
        return values
    return _one_by_one(values, _fit_double)


def _check_single(values: list[Any]) -> list[Any]:
    if set(map(type, values)) == {float}:
        rounded = array("f", values).tolist()
        if not infinite(rounded):
            return rounded
    return _one_by_one(values, _fit_single)


def _check_half(values: list[Any]) -> list[Any]:
    return _one_by_one(values, _fit_half)


def infinite(values: list[float]) -> bool:
    """Whether one of these is infinite. NaN is not."""
    if math.isfinite(sum(values)):
        return False
    return math.inf in values or -math.inf in values


def _integer(name: str, size: int, code: str) -> Datatype:
    bits = size * 8
    low, high = (0, 2**bits - 1) if name.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return Datatype(name, f"an integer from {low} to {high}, or null", _integers(low, high), size, code)


_NUMBER = "a finite number in its range, or null"

DATATYPES = {
    datatype.name: datatype
    for datatype in (
        Datatype("BOOL", "true, false or null", _check_bool, 1, "?"),
        _integer("UINT8", 1, "B"),
        _integer("UINT16", 2, "H"),
        _integer("UINT32", 4, "I"),
        _integer("UINT64", 8, "Q"),
        _integer("INT8", 1, "b"),
        _integer("INT16", 2, "h"),
        _integer("INT32", 4, "i"),
        _integer("INT64", 8, "q"),
        Datatype("FP16", _NUMBER, _check_half, 2, "e"),
        Datatype("FP32", _NUMBER, _check_single, 4, "f"),
        Datatype("FP64", _NUMBER, _check_double, 8, "d"),
        Datatype("BYTES", "text or null", _check_text, 0, ""),
    )
}
