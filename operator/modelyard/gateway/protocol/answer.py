"""A model's predictions as the tensors that a client asked for. Pure."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from modelyard.gateway.protocol.refusal import Refused
from modelyard.gateway.protocol.request import InferRequest
from modelyard.gateway.protocol.words import body_excerpt, described, listed, quoted
from modelyard.gateway.route import Target


class Answer(NamedTuple):
    """Headers and body of an answer with status 200. Content-Length is the sender's to add."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_JSON = ((b"content-type", b"application/json"),)

_Fault = Callable[[str], Refused]


def to_client(request: InferRequest, target: Target, model: str, version: str, answer: bytes) -> Answer:
    """The client's answer, from the body that a model sent with status 200.

    `Refused(400)` for an output that the model does not have, `Refused(502)` for an answer that is not one good
    prediction a row.
    """
    wanted = _wanted(request, target, model)

    def fault(what: str) -> Refused:
        return Refused(502, f"model {quoted(model)} version {quoted(version)}: {what}")

    values = _values(_predictions(answer, request.rows, fault), target, fault)
    tensors, raw = [], []
    for name, binary in wanted.items():
        tensor, data = _tensor(name, values, target, request.rows, binary)
        tensors.append(tensor)
        if data is not None:
            raw.append(data)
    text = orjson.dumps({"model_name": model, "model_version": version, "id": request.id, "outputs": tensors})
    if not raw:
        return Answer(_JSON, text)
    length = b"%d" % len(text)
    headers = (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", length),
    )
    return Answer(headers, b"".join((text, *raw)))


def output_names(target: Target) -> tuple[str, ...]:
    """What a client may ask for: what it gets unasked, then the decided label."""
    if not target.labels:
        return (target.name,)
    return target.labels if target.name in target.labels else (*target.labels, target.name)


def _wanted(request: InferRequest, target: Target, model: str) -> dict[str, bool]:
    """Names of outputs in the order of the answer, and whether each is raw."""
    asked = request.outputs
    if asked is None:
        return dict.fromkeys(target.labels or (target.name,), request.binary)
    names = output_names(target)
    for name in asked:
        if name not in names:
            raise Refused(400, f"model {quoted(model)} has no output {quoted(name)}; it has {listed(names)}")
    return {name: request.binary if raw is None else raw for name, raw in asked.items()}


def _predictions(answer: bytes, rows: int, fault: _Fault) -> list[Any]:
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise fault(f"its answer is not JSON: {body_excerpt(answer)}") from None
    predictions = document.get("predictions") if type(document) is dict else None
    if type(predictions) is not list:
        raise fault(f'its answer has no list "predictions": {body_excerpt(answer)}')
    if len(predictions) != rows:
        raise fault(f"{len(predictions)} predictions for {rows} rows; exactly one prediction a row is needed")
    return predictions


def _values(predictions: list[Any], target: Target, fault: _Fault) -> dict[str, list[float]]:
    """The numbers under each label, or under the target's name where there are none."""
    if not target.labels:
        return {target.name: _floats(predictions, "", fault)}
    count = len(target.labels)
    for row, entry in enumerate(predictions):
        if type(entry) is not dict or len(entry) != count:
            raise fault(_not_labels(row, entry, target))
    found = {}
    for label in target.labels:
        try:
            probabilities = list(map(itemgetter(label), predictions))
        except KeyError:
            row = next(row for row, entry in enumerate(predictions) if label not in entry)
            raise fault(_not_labels(row, predictions[row], target)) from None
        found[label] = _floats(probabilities, f" of {quoted(label)}", fault)
    return found


def _not_labels(row: int, entry: object, target: Target) -> str:
    shown = f"an object with the keys {listed(list(entry))}" if isinstance(entry, dict) else described(entry)
    return f"prediction {row} is {shown}; it must be an object with exactly the keys {listed(target.labels)}"


def _floats(values: list[Any], of: str, fault: _Fault) -> list[float]:
    kinds = set(map(type, values))
    if kinds == {float}:
        return values
    if kinds <= {float, int}:
        return [float(value) for value in values]
    row, value = next((row, value) for row, value in enumerate(values) if type(value) not in (float, int))
    raise fault(f"prediction {row}{of} is {described(value)}; it must be a finite number")


def _tensor(
    name: str, values: dict[str, list[float]], target: Target, rows: int, binary: bool
) -> tuple[dict[str, Any], bytes | None]:
    """One output, and its raw data where it is not in JSON."""
    numbers = values.get(name)
    datatype = "BYTES" if numbers is None else "FP64"
    tensor: dict[str, Any] = {"name": name, "shape": [rows], "datatype": datatype}
    data = _decided(values, target) if numbers is None else numbers
    if not binary:
        tensor["data"] = data
        return tensor, None
    raw = _raw_texts(data) if numbers is None else _raw_doubles(numbers)
    tensor["parameters"] = {"binary_data_size": len(raw)}
    return tensor, raw


def _decided(values: dict[str, list[float]], target: Target) -> list[Any]:
    labels = target.labels
    if target.type == "Binary":
        positive, negative = labels
        threshold = target.threshold
        return [positive if value >= threshold else negative for value in values[positive]]
    rows = zip(*(values[label] for label in labels), strict=True)
    return [labels[row.index(max(row))] for row in rows]


def _raw_doubles(values: list[float]) -> bytes:
    numbers = array("d", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _raw_texts(texts: list[Any]) -> bytes:
    encoded = {text: _raw_text(text) for text in set(texts)}
    return b"".join(map(encoded.__getitem__, texts))


def _raw_text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data
