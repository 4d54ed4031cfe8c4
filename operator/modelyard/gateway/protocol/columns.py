"""One input of a request as the column that a model is sent. Pure."""

from __future__ import annotations

from itertools import islice
from typing import Any

from modelyard.gateway.protocol.datatypes import DATATYPES, JSON_TEXTS, Datatype
from modelyard.gateway.protocol.framing import Tail
from modelyard.gateway.protocol.raw import raw_source
from modelyard.gateway.protocol.refusal import Unfit, Wrong
from modelyard.gateway.protocol.shape import (
    AT_ONCE,
    as_json,
    flattened,
    nest,
    nested_lengths,
    product,
    read_shape,
)
from modelyard.gateway.protocol.words import described

_LENGTH = 4
"""Bytes that an element of BYTES takes at least: those of its length."""


def read_column(tensor: dict[str, Any], tail: Tail | None, most: int) -> tuple[int, Any]:
    """How many rows an input has, and its column: one entry a row, or Pieces where they are many. `Wrong` as needed,
    `TooLong` where they are more than `most` bytes."""
    datatype = _datatype(tensor.get("datatype"))
    shape = read_shape(tensor.get("shape"))
    size = None
    parameters = tensor.get("parameters")
    if parameters is not None:
        size = _raw_size(parameters)
        if datatype.name == "BYTES" and parameters.get("content_type") == "pd_json":
            datatype = JSON_TEXTS
    try:
        if size is not None and tail is not None:
            if tensor.get("data") is not None:
                raise Wrong("both data and binary_data_size are given; it must be one of them")
            return shape[0], _raw_column(tail, size, datatype, shape, most)
        return shape[0], _json_column(_data(tensor, size), datatype, shape, most)
    except Unfit as unfit:
        raise Wrong(f"value {unfit.index} {unfit.what}; {datatype.name} takes {datatype.takes}") from None


def _datatype(name: object) -> Datatype:
    found = DATATYPES.get(name) if type(name) is str else None
    if found is None:
        raise Wrong(f"datatype is {described(name)}; it must be one of {', '.join(DATATYPES)}")
    return found


def _raw_size(parameters: object) -> int | None:
    if type(parameters) is not dict:
        raise Wrong(f"parameters is {described(parameters)}; it must be an object")
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise Wrong(f"binary_data_size is {described(size)}; it must be a number of bytes, 0 or more")
    return size


def _raw_column(tail: Tail, given: int, datatype: Datatype, shape: list[int], most: int) -> Any:
    raw, count = tail.take(given), product(shape)
    least = count * (datatype.size or _LENGTH)
    if given < least or (given > least and datatype.size):
        needs = f"{'exactly' if datatype.size else 'at least'} {least}"
        raise Wrong(f"binary_data_size is {given}; {datatype.name} of shape {shape} takes {needs} bytes")
    source = raw_source(raw, datatype, count)
    inner = _inner(shape)
    if count <= AT_ONCE and not tail.much:
        return nest(source(count), inner)
    return as_json(source, [shape[0], *inner], most)


def _inner(shape: list[int]) -> list[int]:
    """The shape of one entry of a column: [n] and [n, 1] are plain columns."""
    return [] if len(shape) == 2 and shape[1] == 1 else shape[1:]


def _data(tensor: dict[str, Any], size: int | None) -> list[Any]:
    data = tensor.get("data")
    if type(data) is list:
        return data
    if data is not None:
        return [data]  # One bare value is one value.
    if size is not None:
        raise Wrong("binary_data_size is given, but the request has no Inference-Header-Content-Length")
    raise Wrong("data is missing; it must be a list of values, or raw with binary_data_size")


def _json_column(data: list[Any], datatype: Datatype, shape: list[int], most: int) -> Any:
    flat, lengths = data, [len(data)]
    if data and type(data[0]) is list:
        lengths = nested_lengths(data)
        flat = _flat(data, lengths, shape)
    if len(flat) != product(shape):
        raise Wrong(f"data holds {len(flat)} values; shape {shape} takes {product(shape)}")
    values = datatype.check(flat)
    inner = _inner(shape)
    if not inner:
        return values
    if values is flat and lengths == shape:
        return data
    return _nested(values, shape, most)


def _nested(values: list[Any], shape: list[int], most: int) -> Any:
    if len(values) <= AT_ONCE:
        return nest(values, shape[1:])
    at = iter(values)
    return as_json(lambda count: list(islice(at, count)), shape, most)


def _flat(data: list[Any], lengths: list[int], shape: list[int]) -> list[Any]:
    must = f"shape is {shape}, and so must data be, or be flat"
    if [length for length in lengths if length != 1] != [size for size in shape if size != 1]:
        raise Wrong(f"data is nested as {lengths}; {must}")
    flat = flattened(data, lengths)
    if flat is None:
        raise Wrong(f"data is nested unevenly; {must}")
    return flat
