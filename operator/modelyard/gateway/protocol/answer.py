"""A model's predictions as the tensors that a client asked for. Pure.

A Regression or Anomaly model has one output, named after its target. A Binary or Multiclass model has one for each
label, and another named after its target, the decided label, which is told only when it is asked for. A label that is
named as the target hides that one.
"""

from __future__ import annotations

import sys
from array import array
from typing import Any, NamedTuple

import orjson

from modelyard.gateway.protocol.predictions import read_predictions
from modelyard.gateway.protocol.refusal import Refused, Wrong
from modelyard.gateway.protocol.request import InferRequest
from modelyard.gateway.protocol.words import listed, quoted
from modelyard.gateway.route import Target

_JSON = ((b"content-type", b"application/json"),)


class Answer(NamedTuple):
    """Headers and body of an answer with status 200. Content-Length is the sender's to add."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def check_outputs(request: InferRequest, target: Target, model: str) -> None:
    """`Refused(400)` when a client asks for an output that the model does not have: known before the model is asked."""
    if request.outputs is None:
        return
    names = output_names(target)
    for name in request.outputs:
        if name not in names:
            raise Refused(400, f"model {quoted(model)} has no output {quoted(name)}; it has {listed(names)}")


def output_names(target: Target) -> tuple[str, ...]:
    """What a client may ask for: what it gets unasked, then the decided label."""
    if not target.labels:
        return (target.name,)
    return target.labels if target.name in target.labels else (*target.labels, target.name)


def to_client(request: InferRequest, target: Target, model: str, version: str, answer: bytes) -> Answer:
    """The client's answer, from the body that a model sent with status 200.

    `Refused(502)`, naming the model, for an answer that is not one good prediction a row; `Refused(400)` as from
    `check_outputs`.
    """
    check_outputs(request, target, model)
    try:
        values = read_predictions(answer, request.rows, target)
    except Wrong as wrong:
        raise Refused(502, f"model {quoted(model)} version {quoted(version)}: {wrong}") from None
    tensors, raw = _tensors(request, target, values)
    text = orjson.dumps({"model_name": model, "model_version": version, "id": request.id, "outputs": tensors})
    if not raw:
        return Answer(_JSON, text)
    length = b"%d" % len(text)
    headers = (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", length),
    )
    return Answer(headers, b"".join((text, *raw)))


def _tensors(
    request: InferRequest, target: Target, values: dict[str, list[float]]
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The outputs in the order in which they were asked for, and the raw data of those that are told so."""
    tensors: list[dict[str, Any]] = []
    raw: list[bytes] = []
    shape = [request.rows]
    outputs = request.outputs
    for name in values if outputs is None else outputs:
        numbers = values.get(name)
        asked = None if outputs is None else outputs[name]
        data: list[Any] = decided(values, target) if numbers is None else numbers
        tensor: dict[str, Any] = {
            "name": name,
            "shape": shape,
            "datatype": "BYTES" if numbers is None else "FP64",
        }
        if request.binary if asked is None else asked:
            raw.append(_raw_texts(data) if numbers is None else _raw_doubles(data))
            tensor["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            tensor["data"] = data
        tensors.append(tensor)
    return tensors, raw


def decided(values: dict[str, list[float]], target: Target) -> list[str]:
    """The label of each row: by the threshold of a Binary model, else the likeliest, of equals the first."""
    labels = target.labels
    if target.type == "Binary":
        positive, negative = labels
        return [positive if value >= target.threshold else negative for value in values[positive]]
    rows = zip(*(values[label] for label in labels), strict=True)
    return [labels[row.index(max(row))] for row in rows]


def _raw_doubles(values: list[float]) -> bytes:
    numbers = array("d", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _raw_texts(texts: list[str]) -> bytes:
    encoded = {text: _raw_text(text.encode()) for text in set(texts)}
    return b"".join(map(encoded.__getitem__, texts))


def _raw_text(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data
