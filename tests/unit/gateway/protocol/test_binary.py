"""Raw tensors behind the JSON of a request: the binary tensor extension."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from modelyard.gateway.protocol import Refused, header_length
from tests.unit.gateway.protocol.asking import body, columns, raw_body, raw_column, refusal, tensor


def doubles(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def texts(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def test_raw_tensors_are_taken_in_the_order_of_their_inputs() -> None:
    asked = raw_body(
        (tensor(None, "FP64", [2], name="area"), doubles(55.5, 28)),
        (tensor(None, "BYTES", [2, 1], name="district"), texts("Łódź".encode(), b"")),
        (tensor(None, "BOOL", [2], name="new"), b"\1\0"),
    )
    assert columns(*asked) == {"area": [55.5, 28.0], "district": ["Łódź", ""], "new": [True, False]}


def test_raw_and_json_inputs_may_be_mixed() -> None:
    raw = {"name": "b", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}
    text = body(tensor([1.5], name="a"), raw, tensor([2.5], name="c"))
    assert columns(text + doubles(7), len(text)) == {"a": [1.5], "b": [7.0], "c": [2.5]}


def test_a_header_as_long_as_the_body_is_json_alone() -> None:
    text = body(tensor([1.5]))
    assert columns(text, len(text)) == {"x": [1.5]}


def test_a_size_beside_data_is_of_no_account_without_the_header() -> None:
    assert columns(body(tensor([1.5], parameters={"binary_data_size": 8}))) == {"x": [1.5]}


@pytest.mark.parametrize(
    ("shape", "sent"),
    [
        ([4], [1.0, 2.0, 3.0, 4.0]),
        ([4, 1], [1.0, 2.0, 3.0, 4.0]),
        ([2, 2], [[1.0, 2.0], [3.0, 4.0]]),
        ([1, 2, 2], [[[1.0, 2.0], [3.0, 4.0]]]),
        ([2, 1, 2], [[[1.0, 2.0]], [[3.0, 4.0]]]),
    ],
)
def test_raw_data_is_nested_as_its_shape_says(shape: list[int], sent: Any) -> None:
    assert raw_column(doubles(1, 2, 3, 4), "FP64", shape) == sent


@pytest.mark.parametrize(
    "shape", [[30_000], [30_000, 1], [10_000, 3], [2, 15_000], [2, 3, 5_000], [1, 1, 30_000]]
)
@pytest.mark.parametrize("datatype", ["INT64", "BYTES", "BOOL", "FP16"])
def test_a_tensor_of_many_elements_reads_like_one_of_few(datatype: str, shape: list[int]) -> None:
    of: dict[str, list[Any]] = {
        "INT64": list(range(30_000)),
        "BYTES": [f"ü{index}" for index in range(30_000)],
        "BOOL": [index % 3 == 0 for index in range(30_000)],
        "FP16": [float(index % 2000) for index in range(30_000)],
    }
    values = of[datatype]
    if datatype == "BYTES":
        raw = texts(*(value.encode() for value in values))
    else:
        raw = struct.pack(f"<30000{ {'INT64': 'q', 'BOOL': '?', 'FP16': 'e'}[datatype] }", *values)
    sent = raw_column(raw, datatype, shape)
    for _ in range(len(shape) - (2 if shape == [30_000, 1] else 1)):
        sent = [value for inner in sent for value in inner]
    assert sent == values


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "sentence"),
    [
        ("FP64", [2], bytes(15), "binary_data_size is 15; FP64 of shape [2] takes exactly 16 bytes"),
        ("FP64", [2], bytes(17), "binary_data_size is 17; FP64 of shape [2] takes exactly 16 bytes"),
        ("FP64", [1], b"", "binary_data_size is 0; FP64 of shape [1] takes exactly 8 bytes"),
        (
            "INT8",
            [10**18],
            b"a",
            f"binary_data_size is 1; INT8 of shape [{10**18}] takes exactly {10**18} bytes",
        ),
        ("BYTES", [2], bytes(7), "binary_data_size is 7; BYTES of shape [2] takes at least 8 bytes"),
        (
            "BYTES",
            [10**18],
            b"a",
            f"binary_data_size is 1; BYTES of shape [{10**18}] takes at least {4 * 10**18} bytes",
        ),
        ("BYTES", [1], texts(b"a", b"b"), "the lengths of its elements and binary_data_size do not agree"),
        ("BYTES", [1], texts(b"a")[:-1], "the lengths of its elements and binary_data_size do not agree"),
        ("BYTES", [1], b"\xff\xff\xff\xff", "the lengths of its elements and binary_data_size do not agree"),
        ("BYTES", [2], texts(b"abcdef"), "the lengths of its elements and binary_data_size do not agree"),
        (
            "BYTES",
            [2],
            texts(b"abcdefgh", b"")[:-3],
            "the lengths of its elements and binary_data_size do not agree",
        ),
        (
            "BYTES",
            [1],
            b"\x09\0\0\0\xc3\xbc\xc3",
            "the lengths of its elements and binary_data_size do not agree",
        ),
        (
            "BYTES",
            [2],
            texts(b"a", b"\x89PNG"),
            "value 1 is not UTF-8 and so cannot be told to a model; BYTES takes text or null",
        ),
        ("BOOL", [3], b"\0\1\2", "value 2 is the byte 2, not 0 or 1; BOOL takes true, false or null"),
    ],
)
def test_raw_data_that_is_not_as_its_shape_is_refused(
    datatype: str, shape: list[int], raw: bytes, sentence: str
) -> None:
    assert refusal(*raw_body((tensor(None, datatype, shape), raw))) == f'input "x": {sentence}'


def test_what_is_wrong_far_into_a_tensor_is_named_by_its_place() -> None:
    raw = raw_body((tensor(None, "FP64", [10_000]), doubles(*[1.0] * 9_000, float("inf"), *[1.0] * 999)))
    assert refusal(*raw).startswith('input "x": value 9000 is Infinity;')
    raw = raw_body((tensor(None, "BYTES", [5_000, 2]), texts(*[b"a"] * 9_999, b"\xff")))
    assert refusal(*raw).startswith('input "x": value 9999 is not UTF-8')
    raw = raw_body((tensor(None, "BOOL", [10_000]), bytes(9_998) + b"\3\0"))
    assert refusal(*raw).startswith('input "x": value 9998 is the byte 3')


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (-8, "binary_data_size is -8; it must be a number of bytes, 0 or more"),
        ("8", 'binary_data_size is the text "8"; it must be a number of bytes, 0 or more'),
        (8.0, "binary_data_size is 8.0; it must be a number of bytes, 0 or more"),
        (True, "binary_data_size is true; it must be a number of bytes, 0 or more"),
        (9, "binary_data_size is 9, but only 8 bytes of the body are left for it"),
        (2**63, f"binary_data_size is {2**63}, but only 8 bytes of the body are left for it"),
    ],
)
def test_a_size_that_cannot_be_is_refused(size: Any, sentence: str) -> None:
    text = body(tensor(None, "FP64", [1], parameters={"binary_data_size": size}))
    assert refusal(text + bytes(8), len(text)) == f'input "x": {sentence}'


def test_a_size_without_the_header_is_refused() -> None:
    assert refusal(body(tensor(None, "FP64", [1], parameters={"binary_data_size": 8}))) == (
        'input "x": binary_data_size is given, but the request has no Inference-Header-Content-Length'
    )


def test_data_beside_raw_data_is_refused() -> None:
    text = body(tensor([1.5], parameters={"binary_data_size": 8}))
    assert refusal(text + bytes(8), len(text)) == (
        'input "x": both data and binary_data_size are given; it must be one of them'
    )


def test_bytes_that_no_input_takes_are_refused() -> None:
    text = body(tensor([1.5]))
    assert refusal(text + b"abc", len(text)) == (
        "3 bytes at the end of the body belong to no input's binary_data_size"
    )


def test_a_header_longer_than_the_body_is_refused() -> None:
    assert refusal(b"{}", 3) == "Inference-Header-Content-Length is 3, but the body has only 2 bytes"
    assert (
        refusal(b"{}", 10**18)
        == f"Inference-Header-Content-Length is {10**18}, but the body has only 2 bytes"
    )


def test_a_header_that_cuts_the_json_is_refused() -> None:
    text = body(tensor([1.5]))
    assert refusal(text, len(text) - 1).startswith("the body is not JSON: ")
    assert refusal(text, 0).startswith("the body is not JSON: ")


@pytest.mark.parametrize(("value", "length"), [(None, None), (b"0", 0), (b" 12\t", 12), ("345", 345)])
def test_the_header_is_a_number(value: bytes | str | None, length: int | None) -> None:
    assert header_length(value) == length


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"+1", b"1.0", b"0x1", b"1 2", b"abc", "²", b"\xb2", b"9" * 19, b"1_0"]
)
def test_a_header_that_is_no_number_is_refused(value: bytes | str) -> None:
    with pytest.raises(
        Refused, match=r"Inference-Header-Content-Length is .*; it must be a number of bytes"
    ) as caught:
        header_length(value)
    assert caught.value.status == 400


def test_texts_with_gaps_are_read_raw_too() -> None:
    marked = {"parameters": {"content_type": "pd_json"}}
    assert raw_column(texts(b'"Oslo"', b"null"), "BYTES", [2], **marked) == ["Oslo", None]
