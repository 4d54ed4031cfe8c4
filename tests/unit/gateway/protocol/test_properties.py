"""What holds for any request: bytes that nobody thought of."""

from __future__ import annotations

import json
import math
import struct
from contextlib import suppress
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard.gateway.protocol import Refused, decoded, header_length, parse_infer, to_client, to_model
from modelyard.gateway.protocol.datatypes import DATATYPES
from modelyard.gateway.route import Target
from tests.unit.gateway.protocol.asking import body, columns, parsed, raw_body, tensor
from tests.unit.gateway.protocol.strangers import stranger

TARGETS = [
    Target("Regression", "y"),
    Target("Binary", "y", ("a", "b")),
    Target("Multiclass", "y", ("a", "b", "c")),
]

CODES = {name: datatype.code for name, datatype in DATATYPES.items() if datatype.size}

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def survives(text: bytes, header: int | None) -> bool:
    """Only Refused ever comes out, with a sentence that can be sent; what is taken can be told to the model."""
    try:
        request = parse_infer(text, header, "made")
    except Refused as refused:
        if refused.status != 400 or len(refused.message) > 1000 or "\n" in refused.message:
            raise AssertionError(refused.message) from refused
        refused.message.encode()
        return False
    sent = orjson.loads(to_model(request))["X"]
    assert {len(column) for column in sent.values()} == {request.rows}
    return True


def test_any_request_is_taken_or_refused_whatever_its_fields_hold() -> None:
    taken = [survives(*stranger(seed)) for seed in range(3_000)]
    assert 600 < sum(taken) < 2_400, "the requests must be strange, but not all of them too strange"


@given(st.binary(max_size=200), st.one_of(st.none(), st.integers(0, 250)))
@example(b"", 0)
def test_bytes_are_taken_or_refused(text: bytes, header: int | None) -> None:
    survives(text, header)


@given(st.sampled_from(list(DATATYPES)), shapes, st.binary(max_size=300), st.integers(-2, 2))
def test_a_raw_tensor_is_taken_or_refused(name: str, shape: list[int], raw: bytes, off: int) -> None:
    """The size that is told may be off by a little, and so may the length of the JSON."""
    fitting = (raw * 300)[: math.prod(shape) * (DATATYPES[name].size or len(raw))]
    told = tensor(None, name, shape, parameters={"binary_data_size": len(fitting) + off})
    text = body(told)
    survives(text + fitting, len(text))
    survives(text + fitting, len(text) + off)


@given(st.binary(max_size=60), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_good_request_with_a_few_other_bytes_is_taken_or_refused(raw: bytes, at: int, other: bytes) -> None:
    texts = struct.pack("<I", len(raw)) + raw
    text, header = raw_body(
        (tensor(None, "BYTES", [1]), texts), (tensor(None, "FP64", [1], name="y"), bytes(8))
    )
    place = at % len(text)
    survives(text[:place] + other + text[place + len(other) :], header)


@given(st.data(), st.sampled_from(list(CODES)), shapes)
def test_json_flat_or_nested_and_raw_tell_the_model_the_same(
    data: st.DataObject, name: str, shape: list[int]
) -> None:
    raw = data.draw(st.binary(min_size=(size := math.prod(shape) * DATATYPES[name].size), max_size=size))
    if name == "BOOL":
        raw = bytes(byte & 1 for byte in raw)
    values = list(struct.unpack(f"<{math.prod(shape)}{CODES[name]}", raw))
    if any(isinstance(value, float) and math.isinf(value) for value in values):
        return
    nested: list[Any] = values
    for length in reversed(shape[1:]):
        nested = [nested[at : at + length] for at in range(0, len(nested), length)]
    from_raw = to_model(parsed(*raw_body((tensor(None, name, shape), raw))))
    assert to_model(parsed(body(tensor(values, name, shape)))) == from_raw
    assert to_model(parsed(body(tensor(nested, name, shape)))) == from_raw


@given(st.lists(st.text(max_size=5), min_size=1, max_size=8))
def test_texts_come_through_raw_and_in_json(values: list[str]) -> None:
    encoded = [value.encode() for value in values]
    raw = b"".join(struct.pack("<I", len(value)) + value for value in encoded)
    shape = [len(values)]
    assert columns(*raw_body((tensor(None, "BYTES", shape), raw))) == {"x": values}
    assert columns(body(tensor(values, "BYTES"))) == {"x": values}


@given(st.lists(st.floats(allow_infinity=False, allow_nan=False), min_size=1, max_size=8))
def test_doubles_come_back_raw_and_in_json_to_the_last_bit(values: list[float]) -> None:
    answer = orjson.dumps({"predictions": values})
    text = body(tensor(values))
    plain = to_client(parsed(text), TARGETS[0], "m", "1.0", answer)
    told = orjson.loads(plain.body)["outputs"][0]["data"]
    raw = to_client(
        parsed(body(tensor(values), parameters={"binary_data_output": True})), TARGETS[0], "m", "1.0", answer
    )
    packed = struct.pack(f"<{len(values)}d", *values)
    assert struct.pack(f"<{len(values)}d", *told) == packed
    assert raw.body[int(raw.headers[1][1]) :] == packed


values = st.one_of(
    st.floats(), st.integers(), st.sampled_from([None, True, "a", 2**70, [1.5], {"a": 1.5}, "\ud800"])
)
entries = st.one_of(
    st.floats(0, 1),
    st.just({"a": 0.5, "b": 0.5}),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(st.floats(0, 1), values), max_size=3),
    values,
)
answers = st.one_of(
    st.binary(max_size=40),
    values.map(lambda value: json.dumps(value).encode()),
    st.lists(entries, max_size=2).map(lambda value: json.dumps({"predictions": value}).encode()),
)


@given(answers, st.sampled_from(TARGETS), st.booleans(), st.booleans())
def test_any_answer_of_a_model_is_told_or_is_its_fault(
    answer: bytes, target: Target, binary: bool, decided: bool
) -> None:
    outputs = [{"name": "y"}] if decided else []
    request = parsed(body(tensor([1.5]), outputs=outputs, parameters={"binary_data_output": binary}))
    try:
        told = to_client(request, target, "m", "1.0", answer)
    except Refused as refused:
        if refused.status != 502 or not refused.message.startswith('model "m" version "1.0": '):
            raise AssertionError(refused.message) from refused
        refused.message.encode()
        return
    length = int(told.headers[1][1]) if binary else len(told.body)
    document = orjson.loads(told.body[:length])
    sizes = [output.get("parameters", {}).get("binary_data_size", 0) for output in document["outputs"]]
    assert sum(sizes) == len(told.body) - length


@given(st.sampled_from(["gzip", "deflate", "identity", "br"]), st.binary(max_size=80), st.integers(0, 50))
def test_any_encoding_is_undone_or_refused(encoding: str, text: bytes, limit: int) -> None:
    with suppress(Refused):
        assert len(decoded(text, encoding, limit)) <= max(limit, len(text))


@given(st.one_of(st.binary(max_size=12), st.text(max_size=12)))
def test_any_header_is_a_length_or_refused(value: bytes | str) -> None:
    with suppress(Refused):
        assert header_length(value) is not None
