"""Requests for predictions: read once, checked wholly, and told to the model. Pure."""

from __future__ import annotations

from typing import Any, Final

import orjson

from modelyard.gateway.protocol.columns import read_column
from modelyard.gateway.protocol.framing import Tail, read_json, split
from modelyard.gateway.protocol.refusal import Refused, Wrong
from modelyard.gateway.protocol.shape import Pieces, TooLong
from modelyard.gateway.protocol.words import described, quoted

_NO_BOUND: Final = 2**62


class InferRequest:
    """What a client asks for. `columns` holds one entry a row under each name."""

    __slots__ = ("binary", "columns", "id", "outputs", "rows")

    def __init__(
        self,
        id: str,
        columns: dict[str, Any],
        rows: int,
        outputs: dict[str, bool | None] | None,
        binary: bool,
    ) -> None:
        self.id = id
        """Echoed in the answer. It may hold any character, so it belongs into no header and no log as it is."""
        self.columns = columns
        self.rows = rows
        self.outputs = outputs
        """The names that were asked for, and whether raw (None: as `binary` says). None: whatever the model has."""
        self.binary = binary


def parse_infer(body: bytes, header_length: int | None, made_id: str, most: int = _NO_BOUND) -> InferRequest:
    """The request in a body, whose Content-Encoding is undone. `Refused(400)` for whatever is wrong with it.

    `header_length` is the number in Inference-Header-Content-Length, `made_id` the id where the client gave none.
    `Refused(413)` as soon as what is made of it for the model is more than `most` bytes.
    """
    text, tail = split(body, header_length)
    document = read_json(text)
    if type(document) is not dict:
        raise Refused(400, f'the body is {described(document)}; it must be an object with "inputs"')
    inputs = document.get("inputs")
    if type(inputs) is not list or not inputs:
        told = described(inputs) if "inputs" in document else "missing"
        raise Refused(400, f"inputs is {told}; it must be a list of at least one input")
    columns, rows = _columns(inputs, tail, most)
    if tail is not None:
        tail.close()
    return InferRequest(_id(document, made_id), columns, rows, _outputs(document), _binary(document))


def _columns(inputs: list[Any], tail: Tail | None, most: int) -> tuple[dict[str, Any], int]:
    """The columns by name, and how many rows they have."""
    left = most
    columns: dict[str, Any] = {}
    rows = 0
    for tensor in inputs:
        name = _name(tensor, "inputs", len(columns))
        if name in columns:
            raise Refused(400, f"two inputs are named {quoted(name)}; every name must be given once")
        try:
            count, column = read_column(tensor, tail, left)
        except Wrong as wrong:
            raise Refused(400, f"input {quoted(name)}: {wrong}") from None
        except TooLong:
            raise _too_long(f"with input {quoted(name)} the inputs become", most) from None
        if type(column) is Pieces:
            left -= column.size
        if columns and count != rows:
            raise Refused(400, _uneven(name, count, next(iter(columns)), rows))
        columns[name] = column
        rows = count
    return columns, rows


def _uneven(name: str, count: int, first: str, rows: int) -> str:
    return (
        f"input {quoted(name)}: its first dimension is {count}, that of input {quoted(first)} is {rows}; "
        "they must be equal, since both count rows"
    )


def to_model(request: InferRequest, most: int = _NO_BOUND) -> bytes:
    """The body of `POST {url_prefix}/predict_no_state/`; `Refused(413)` where it is more than `most` bytes."""
    columns = request.columns
    for column in columns.values():
        if type(column) is Pieces:
            body = _joined(columns)
            break
    else:
        body = orjson.dumps({"X": columns})
    if len(body) > most:
        raise _too_long("the inputs become", most)
    return body


def _too_long(what: str, most: int) -> Refused:
    return Refused(
        413,
        f"{what} more than {most} bytes of JSON for the model, the most that is taken; send fewer rows at once",
    )


def _joined(columns: dict[str, Any]) -> bytes:
    pieces = [b'{"X":']
    before = b"{"
    for name, column in columns.items():
        pieces += (before, orjson.dumps(name), b":")
        pieces += column if type(column) is Pieces else (orjson.dumps(column),)
        before = b","
    pieces.append(b"}}")
    return b"".join(pieces)


def _name(entry: object, where: str, index: int) -> str:
    if type(entry) is not dict:
        raise Refused(400, f"{where}[{index}] is {described(entry)}; it must be an object with a name")
    name = entry.get("name")
    if type(name) is not str or not name:
        raise Refused(
            400, f"{where}[{index}]: name is {described(name)}; it must be text of at least 1 character"
        )
    return name


def _id(document: dict[str, Any], made: str) -> str:
    given = document.get("id")
    if given is None or given == "":
        return made
    if type(given) is not str:
        raise Refused(400, f"id is {described(given)}; it must be text")
    return given


def _binary(document: dict[str, Any]) -> bool:
    parameters = document.get("parameters")
    if parameters is None:
        return False
    try:
        return _flag(parameters, "binary_data_output") or False
    except Wrong as wrong:
        raise Refused(400, str(wrong)) from None


def _flag(parameters: object, key: str) -> bool | None:
    """A parameter that is true or false; None where it is not given."""
    if parameters is None:
        return None
    if type(parameters) is not dict:
        raise Wrong(f"parameters is {described(parameters)}; it must be an object")
    value: object = parameters.get(key)
    if value is None or type(value) is bool:
        return value
    raise Wrong(f"{key} is {described(value)}; it must be true or false")


def _outputs(document: dict[str, Any]) -> dict[str, bool | None] | None:
    outputs = document.get("outputs")
    if outputs is None or outputs == []:
        return None
    if type(outputs) is not list:
        raise Refused(400, f"outputs is {described(outputs)}; it must be a list")
    wanted: dict[str, bool | None] = {}
    for output in outputs:
        name = _name(output, "outputs", len(wanted))
        if name in wanted:
            raise Refused(400, f"two outputs are named {quoted(name)}; every name must be given once")
        try:
            wanted[name] = _flag(output.get("parameters"), "binary_data")
        except Wrong as wrong:
            raise Refused(400, f"output {quoted(name)}: {wrong}") from None
    return wanted
