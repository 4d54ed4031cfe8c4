"""What each datatype takes in JSON and raw, and what the model is sent for it."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.unit.gateway.protocol.asking import body, column, columns, raw_body, raw_column, refusal, tensor

EDGES: list[tuple[str, str, list[Any]]] = [
    ("BOOL", "?", [True, False]),
    ("UINT8", "B", [0, 255]),
    ("UINT16", "H", [0, 2**16 - 1]),
    ("UINT32", "I", [0, 2**32 - 1]),
    ("UINT64", "Q", [0, 2**53 + 1, 2**63, 2**64 - 1]),
    ("INT8", "b", [-128, 127]),
    ("INT16", "h", [-(2**15), 2**15 - 1]),
    ("INT32", "i", [-(2**31), 2**31 - 1]),
    ("INT64", "q", [-(2**63), -(2**53) - 1, 2**53 + 1, 2**63 - 1]),
    ("FP16", "e", [0.0, -0.0, 65504.0, -65504.0, 2.0**-24, 0.0999755859375]),
    ("FP32", "f", [0.0, -0.0, 3.4028234663852886e38, 1.401298464324817e-45, 0.10000000149011612]),
    ("FP64", "d", [0.0, -0.0, 1.7976931348623157e308, 5e-324, 0.1, 2.2250738585072014e-308, 1 / 3]),
]


@pytest.mark.parametrize(("datatype", "code", "values"), EDGES)
def test_edge_values_reach_the_model_as_they_are_from_json_and_raw(
    datatype: str, code: str, values: list[Any]
) -> None:
    raw = struct.pack(f"<{len(values)}{code}", *values)
    for sent in (column(values, datatype), raw_column(raw, datatype, [len(values)])):
        assert [(type(value), str(value)) for value in sent] == [
            (type(value), str(value)) for value in values
        ]


@pytest.mark.parametrize(
    ("datatype", "value", "sent"),
    [
        ("BOOL", 1, True),
        ("BOOL", 0, False),
        ("BOOL", 1.0, True),
        ("INT64", 3.0, 3),
        ("INT8", -0.0, 0),
        ("INT64", float(2**53), 2**53),
        ("FP64", 3, 3.0),
        ("FP64", 2**53 + 1, float(2**53)),
        ("FP32", 3, 3.0),
        ("FP32", 0.1, 0.10000000149011612),
        ("FP16", 0.1, 0.0999755859375),
        ("FP16", 65519, 65504.0),
        ("FP32", 1e-60, 0.0),
        ("BYTES", "", ""),
        ("BYTES", "Łódź 日本 🙂 \x00\n", "Łódź 日本 🙂 \x00\n"),
    ],
)
def test_a_value_that_can_be_no_other_is_taken_for_its_datatype(datatype: str, value: Any, sent: Any) -> None:
    (found,) = column([value], datatype)
    assert (type(found), str(found)) == (type(sent), str(sent))


@pytest.mark.parametrize("datatype", [*(name for name, _, _ in EDGES), "BYTES"])
def test_null_is_a_missing_value_of_every_datatype(datatype: str) -> None:
    assert column([None], datatype) == [None]
    fitting = {name: values[0] for name, _, values in EDGES}.get(datatype, "a")
    assert column([None, fitting, None], datatype) == [None, fitting, None]


INTEGER = "UINT8 takes an integer from 0 to 255, or null"


@pytest.mark.parametrize(
    ("datatype", "value", "sentence"),
    [
        ("BOOL", 2, "is 2; BOOL takes true, false or null"),
        ("BOOL", 0.5, "is 0.5; BOOL takes true, false or null"),
        ("BOOL", "true", 'is the text "true"; BOOL takes true, false or null'),
        ("UINT8", 256, f"is 256; {INTEGER}"),
        ("UINT8", -1, f"is -1; {INTEGER}"),
        ("UINT8", 1.5, f"is 1.5; {INTEGER}"),
        ("UINT8", True, f"is true; {INTEGER}"),
        ("UINT8", "1", f'is the text "1"; {INTEGER}'),
        ("UINT8", {"a": 1}, f"is an object with 1 keys; {INTEGER}"),
        ("INT8", 128, "is 128; INT8 takes an integer from -128 to 127, or null"),
        ("INT16", -32769, "is -32769; INT16 takes an integer from -32768 to 32767, or null"),
        ("INT64", 2**63, f"is {2**63}; INT64 takes an integer from {-(2**63)} to {2**63 - 1}, or null"),
        ("INT64", 2.0**60, f"is {2.0**60}; INT64 takes an integer from {-(2**63)} to {2**63 - 1}, or null"),
        ("INT64", 1e300, f"is 1e+300; INT64 takes an integer from {-(2**63)} to {2**63 - 1}, or null"),
        ("FP16", 65520, "is 65520; FP16 takes a finite number in its range, or null"),
        ("FP32", 1e39, "is 1e+39; FP32 takes a finite number in its range, or null"),
        ("FP32", -1e39, "is -1e+39; FP32 takes a finite number in its range, or null"),
        ("FP64", False, "is false; FP64 takes a finite number in its range, or null"),
        ("FP64", "a" * 100, f'is the text "{"a" * 59}…"; FP64 takes a finite number in its range, or null'),
        ("BYTES", 1, "is 1; BYTES takes text or null"),
        ("BYTES", ["a"], "is a list of 1; BYTES takes text or null"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(datatype: str, value: Any, sentence: str) -> None:
    fitting = "a" if datatype == "BYTES" else 1
    assert refusal(body(tensor([fitting, value], datatype))) == f'input "x": value 1 {sentence}'


@pytest.mark.parametrize("datatype", ["STRING", "fp64", "", None, 5, ["FP64"]])
def test_an_unknown_datatype_is_refused_with_those_that_there_are(datatype: Any) -> None:
    told = refusal(body(tensor([1], datatype)))
    assert told.startswith('input "x": datatype is ')
    assert told.endswith(
        "it must be one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, "
        "FP16, FP32, FP64, BYTES"
    )


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_nan_is_a_missing_value_in_json_and_raw(datatype: str) -> None:
    code = {"FP16": "e", "FP32": "f", "FP64": "d"}[datatype]
    text = body(tensor(["?", 1.5], datatype)).replace(b'"?"', b"NaN")
    assert refusal(text.replace(b"NaN", b"nan")).startswith("the body is not JSON: ")
    assert columns(text) == {"x": [None, 1.5]}
    assert raw_column(struct.pack(f"<2{code}", float("nan"), 1.5), datatype, [2]) == [None, 1.5]


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_infinity_is_refused_since_json_has_none_to_tell_a_model(datatype: str, sign: str) -> None:
    code = {"FP16": "e", "FP32": "f", "FP64": "d"}[datatype]
    text = body(tensor([1.5, "?"], datatype)).replace(b'"?"', sign.encode() + b"Infinity")
    assert refusal(text).startswith(f'input "x": value 1 is {sign}Infinity; {datatype} takes a finite number')
    raw = raw_body((tensor(None, datatype, [2]), struct.pack(f"<2{code}", 1.5, float(f"{sign}inf"))))
    assert refusal(*raw).startswith(f'input "x": value 1 is {sign}Infinity; {datatype} takes a finite number')


def test_integers_beyond_64_bits_are_doubles_where_doubles_are_taken() -> None:
    text = body(tensor(["?", 1.5])).replace(b'"?"', b"123456789012345678901234567890")
    assert columns(text) == {"x": [1.2345678901234568e29, 1.5]}
    assert columns(text.replace(b"1.5", b"NaN")) == {"x": [1.2345678901234568e29, None]}


@pytest.mark.parametrize("beside", [b"7", b"NaN"])
def test_integers_of_64_bits_keep_every_digit_also_beside_a_nan(beside: bytes) -> None:
    text = body(tensor([2**64 - 1, 2**63 + 1], "UINT64"), tensor([7.0, 7.0], name="y"))
    assert columns(text.replace(b"7.0", beside))["x"] == [2**64 - 1, 2**63 + 1]
    text = body(tensor([-(2**63), 2**63 - 1], "INT64"), tensor([7.0, 7.0], name="y"))
    assert columns(text.replace(b"7.0", beside))["x"] == [-(2**63), 2**63 - 1]
    over = text.replace(b"7.0", beside).replace(b"9223372036854775807", b"18446744073709551616")
    assert refusal(over).startswith('input "x": value 1 is 1.8446744073709552e+19; INT64 takes')


def test_texts_with_gaps_are_read_as_mlserver_writes_them() -> None:
    marked: dict[str, Any] = {"parameters": {"content_type": "pd_json"}}
    assert column(['"Oslo"', "null", "5", "NaN"], "BYTES", **marked) == ["Oslo", None, 5, None]
    assert refusal(body(tensor(['"Oslo"', "["], "BYTES", **marked))).startswith(
        'input "x": value 1 is the text "["'
    )
    assert refusal(body(tensor(['{"a": 1}'], "BYTES", **marked))).startswith('input "x": value 0 is the text')


@pytest.mark.parametrize("content_type", ["np", "pd", "str", "base64", "no-such", None, 5])
def test_other_content_types_change_nothing(content_type: Any) -> None:
    parameters = {"content_type": content_type, "headers": {}, "ANY": [1]}
    assert column(["a", '"b"'], "BYTES", [2, 1], parameters=parameters) == ["a", '"b"']
    assert column([1.5], "FP64", parameters=parameters) == [1.5]
