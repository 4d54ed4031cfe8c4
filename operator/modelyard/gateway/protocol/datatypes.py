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

import orjson

from modelyard.gateway.protocol.refusal import Unfit
from modelyard.gateway.protocol.words import described

Source = Callable[[int], list[Any]]
"""The next so many elements; at most as many are asked for as there are."""

_HALF = struct.Struct("<e")
_EXACT = 2**53
"""Up to here a double holds every integer: a float beyond may be another number than its writer meant."""

Check = Callable[[list[Any]], list[Any]]


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
    """The slow way, for what is not of one type already: nulls, integers among floats, what is wrong."""
    found: list[Any] = []
    for index, value in enumerate(values):
        try:
            found.append(None if value is None else fit(value))
        except (ValueError, OverflowError):
            raise Unfit(index, f"is {described(value)}") from None
    return found


def _all(values: list[Any], kind: type) -> bool:
    # For a few values, which is the common case, half the price of a set of types, and for many the same.
    for value in values:  # noqa: SIM110
        if type(value) is not kind:
            return False
    return True


def _check_bool(values: list[Any]) -> list[Any]:
    return values if _all(values, bool) else _one_by_one(values, _fit_bool)


def _fit_bool(value: Any) -> bool:
    if type(value) is bool or (
        type(value) in (int, float) and value in (0, 1)
    ):  # Some clients send floats only.
        return bool(value)
    raise ValueError


def _check_text(values: list[Any]) -> list[Any]:
    return values if _all(values, str) else _one_by_one(values, _fit_text)


def _fit_text(value: Any) -> str:
    if type(value) is str:
        return value
    raise ValueError


def _check_json(values: list[Any]) -> list[Any]:
    return _one_by_one(values, _fit_json)


def _fit_json(value: Any) -> Any:
    found = None if value == "NaN" else orjson.loads(_fit_text(value))
    if isinstance(found, list | dict):
        raise ValueError
    return found


def _integers(low: int, high: int, code: str) -> Check:
    def fit(value: Any) -> int:
        whole = int(value) if type(value) is float and value.is_integer() else value
        if type(whole) is int and low <= whole <= high and (whole is value or abs(whole) <= _EXACT):
            return whole
        raise ValueError

    def check(values: list[Any]) -> list[Any]:
        if not _all(values, int):
            return _one_by_one(values, fit)
        try:
            array(code, values)  # A third of the price of looking for the least and the greatest.
        except OverflowError:
            return _one_by_one(values, fit)
        return values

    return check


def _fit_double(value: Any) -> float:
    found = float(value) if type(value) is float or type(value) is int else math.inf
    if math.isinf(found):
        raise ValueError
    return found


def _fit_single(value: Any) -> float:
    return _fit_double(array("f", (_fit_double(value),))[0])


def _fit_half(value: Any) -> float:
    return float(_HALF.unpack(_HALF.pack(_fit_double(value)))[0])


def _check_double(values: list[Any]) -> list[Any]:
    return values if _all(values, float) and not infinite(values) else _one_by_one(values, _fit_double)


def _check_single(values: list[Any]) -> list[Any]:
    if _all(values, float) and not infinite(rounded := array("f", values).tolist()):
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
    return Datatype(name, f"an integer from {low} to {high}, or null", _integers(low, high, code), size, code)


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

JSON_TEXTS = Datatype(
    "BYTES", "a number, a text, true, false or null, written as JSON in a text", _check_json, 0, ""
)
"""BYTES with the content type pd_json: how MLServer's client sends a column of texts in which some are missing."""
