"""One input of a request as the column that a model is sent. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from modelyard.gateway.protocol.datatypes import DATATYPES, Datatype, Unfit
from modelyard.gateway.protocol.framing import Tail
from modelyard.gateway.protocol.raw import raw_source
from modelyard.gateway.protocol.refusal import Refused
from modelyard.gateway.protocol.shape import (
    AT_ONCE,
    as_json,
    flattened,
    nest,
    nested_depth,
    product,
    read_shape,
)
from modelyard.gateway.protocol.words import described


def read_column(tensor: dict[str, Any], where: str, tail: Tail | None) -> tuple[int, Any]:
    """How many rows an input has, and its column: one entry a row, as orjson writes it."""
    datatype = _datatype(tensor.get("datatype"), where)
    shape = read_shape(tensor.get("shape"), where)
    try:
        size = _raw_size(tensor, where)
        if size is not None and tail is not None:
            return shape[0], _raw_column(tail, size, datatype, shape, where)
        return shape[0], _json_column(tensor, datatype, shape, where, size)
    except Unfit as unfit:
        raise Refused(
            400, f"{where}: value {unfit.index} {unfit.what}; {datatype.name} takes {datatype.takes}"
        ) from None


def _datatype(name: object, where: str) -> Datatype:
    found = DATATYPES.get(name) if type(name) is str else None
    if found is None:
        raise Refused(
            400, f"{where}: datatype is {described(name)}; it must be one of {', '.join(DATATYPES)}"
        )
    return found


def _raw_size(tensor: dict[str, Any], where: str) -> int | None:
    parameters = tensor.get("parameters")
    if parameters is None:
        return None
    if type(parameters) is not dict:
        raise Refused(400, f"{where}: parameters is {described(parameters)}; it must be an object")
    size = parameters.get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise Refused(
            400, f"{where}: binary_data_size is {described(size)}; it must be a number of bytes, 0 or more"
        )
    return size


def _raw_column(tail: Tail, size: int, datatype: Datatype, shape: list[int], where: str) -> Any:
    raw, count = tail.take(size, where), product(shape)
    least = count * (datatype.size or 4)
    if size != least if datatype.size else size < least:
        needs = f"{'exactly' if datatype.size else 'at least'} {least}"
        raise Refused(
            400, f"{where}: binary_data_size is {size}; {datatype.name} of shape {shape} takes {needs} bytes"
        )
    source = raw_source(raw, datatype)
    inner = _inner(shape)
    if count <= AT_ONCE:
        return nest(source(count), inner)
    return orjson.Fragment(as_json(source, [shape[0], *inner]))


def _inner(shape: list[int]) -> list[int]:
    """[n] and [n, 1] are plain columns."""
    return [] if len(shape) == 2 and shape[1] == 1 else shape[1:]


def _json_column(
    tensor: dict[str, Any], datatype: Datatype, shape: list[int], where: str, size: int | None
) -> Any:
    data = tensor.get("data")
    if data is None:
        raise Refused(400, f"{where}: {_missing(size)}")
    if type(data) is not list:
        data = [data]
    count = product(shape)
    lengths = nested_depth(data)
    flat = data if len(lengths) == 1 else _flat(data, lengths, shape, where)
    if len(flat) != count:
        raise Refused(400, f"{where}: data holds {len(flat)} values; shape {shape} takes {count}")
    values = datatype.check(flat)
    inner = _inner(shape)
    if not inner:
        return values
    if values is data or (values is flat and lengths == shape):
        return data if lengths == shape else nest(values, inner)
    return nest(values, inner)


def _missing(size: int | None) -> str:
    if size is not None:
        return "binary_data_size is given, but the request has no Inference-Header-Content-Length"
    return "data is missing; it must be a list of values, or raw with binary_data_size"


def _flat(data: list[Any], lengths: list[int], shape: list[int], where: str) -> list[Any]:
    if [size for size in lengths if size != 1] != [size for size in shape if size != 1]:
        raise Refused(
            400, f"{where}: data is nested as {lengths}; shape is {shape}, and so must data be, or be flat"
        )
    flat = flattened(data, lengths)
    if flat is None:
        raise Refused(
            400, f"{where}: data is nested unevenly; shape is {shape}, and so must data be, or be flat"
        )
    return flat
