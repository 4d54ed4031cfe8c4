"""Requests in JSON: shapes, names, ids, outputs, and what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from modelyard.gateway.protocol import to_model
from tests.unit.gateway.protocol.asking import body, column, columns, parsed, refusal, tensor


def test_inputs_become_columns_in_their_order() -> None:
    text = body(
        tensor([55.5, 28], name="area"),
        tensor([2, None], "INT64", name="rooms"),
        tensor(["north", "süd"], "BYTES", name="district"),
    )
    assert to_model(parsed(text)) == (
        '{"X":{"area":[55.5,28.0],"rooms":[2,null],"district":["north","süd"]}}'.encode()
    )
    assert parsed(text).rows == 2


@pytest.mark.parametrize(
    ("shape", "data", "sent"),
    [
        ([3], [1, 2, 3], [1, 2, 3]),
        ([3], [[1], [2], [3]], [1, 2, 3]),
        ([3], [[1, 2, 3]], [1, 2, 3]),
        ([3, 1], [1, 2, 3], [1, 2, 3]),
        ([3, 1], [[1], [2], [3]], [1, 2, 3]),
        ([1], 5, [5]),
        ([1, 1], [5], [5]),
        ([1, 3], [1, 2, 3], [[1, 2, 3]]),
        ([1, 3], [[1, 2, 3]], [[1, 2, 3]]),
        ([2, 2], [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ([2, 2], [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([2, 2], [[1, None], [3, 4]], [[1, None], [3, 4]]),
        ([2, 1, 2], [[1, 2], [3, 4]], [[[1, 2]], [[3, 4]]]),
        ([2, 1, 1], [1, 2], [[[1]], [[2]]]),
        ([1, 2, 2], [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]]]),
        ([1] * 8, [[[[[[[[7]]]]]]]], [[[[[[[[7]]]]]]]]),
    ],
)
def test_data_is_nested_as_its_shape_says(shape: list[int], data: Any, sent: list[Any]) -> None:
    assert column(data, "INT64", shape) == sent


DIMENSION = "every dimension must be an integer of at least 1"
A_LIST = "it must be a list of 1 to 8 integers, rows first"


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (None, f"shape is null; {A_LIST}"),
        (3, f"shape is 3; {A_LIST}"),
        ("3", f'shape is the text "3"; {A_LIST}'),
        ({}, f"shape is an object with 0 keys; {A_LIST}"),
        ([], f"shape is a list of 0; {A_LIST}"),
        ([1] * 9, f"shape is a list of 9; {A_LIST}"),
        ([1] * 100_000, f"shape is a list of 100000; {A_LIST}"),
        ([-1], f"shape holds -1; {DIMENSION}"),
        ([3, -1], f"shape holds -1; {DIMENSION}"),
        ([3.0], f"shape holds 3.0; {DIMENSION}"),
        ([1.5], f"shape holds 1.5; {DIMENSION}"),
        (["3"], f'shape holds the text "3"; {DIMENSION}'),
        ([None], f"shape holds null; {DIMENSION}"),
        ([True], f"shape holds true; {DIMENSION}"),
        ([[3]], f"shape holds a list of 1; {DIMENSION}"),
        ([3, 0], f"shape holds 0; {DIMENSION}"),
        ([0], "shape begins with 0, so there are no rows; at least one is needed"),
        ([0, 3], "shape begins with 0, so there are no rows; at least one is needed"),
        ([2], "data holds 3 values; shape [2] takes 2"),
        ([4], "data holds 3 values; shape [4] takes 4"),
        ([3, 2], "data holds 3 values; shape [3, 2] takes 6"),
        ([10**18], f"data holds 3 values; shape [{10**18}] takes {10**18}"),
        ([10**18] * 8, f"data holds 3 values; shape [{', '.join([str(10**18)] * 8)}] takes {10**144}"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(shape: Any, sentence: str) -> None:
    told = orjson.dumps({"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": [1, 2, 3]}]})
    assert refusal(told) == f'input "x": {sentence}'


@pytest.mark.parametrize(
    ("shape", "data", "sentence"),
    [
        ([4], [[1, 2], [3, 4]], "data is nested as [2, 2]; shape is [4], and so must data be, or be flat"),
        (
            [2, 3],
            [[1, 2], [3, 4]],
            "data is nested as [2, 2]; shape is [2, 3], and so must data be, or be flat",
        ),
        ([2, 2], [[1, 2], [3]], "data is nested unevenly; shape is [2, 2], and so must data be, or be flat"),
        ([2, 2], [[1, 2], 3], "data is nested unevenly; shape is [2, 2], and so must data be, or be flat"),
        ([2, 2], [1, 2, 3, [4]], "value 3 is a list of 1; FP64 takes a finite number in its range, or null"),
        ([2], [[], []], "data is nested as [2, 0]; shape is [2], and so must data be, or be flat"),
        (
            [1],
            [[[[[[[[[[[1]]]]]]]]]]],
            "value 0 is a list of 1; FP64 takes a finite number in its range, or null",
        ),
        ([1], [], "data holds 0 values; shape [1] takes 1"),
        ([1], None, "data is missing; it must be a list of values, or raw with binary_data_size"),
        ([1], "abc", 'value 0 is the text "abc"; FP64 takes a finite number in its range, or null'),
        ([1], {}, "value 0 is an object with 0 keys; FP64 takes a finite number in its range, or null"),
    ],
)
def test_data_that_is_not_as_its_shape_is_refused(shape: list[int], data: Any, sentence: str) -> None:
    assert refusal(body(tensor(data, "FP64", shape))) == f'input "x": {sentence}'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "the body is not JSON: "),
        (b"{", "the body is not JSON: "),
        (b"[NaN", "the body is not JSON: "),
        (b"\xff", "the body is not JSON: "),
        (b'{"inputs": "\xff"}', "the body is not JSON: "),
        (b'["\\ud800"]', "the body is not JSON: "),
        (b'{"a": [NaN, "\\ud800"]}', "the body holds text that is not Unicode, or is nested too deeply"),
        (b"[" * 100_000, "the body is not JSON: "),
        (b"[" * 100_000 + b"NaN", "the body is nested too deeply"),
        (
            b"[" * 500 + b"NaN" + b"]" * 500,
            "the body holds text that is not Unicode, or is nested too deeply",
        ),
        (b"[NaN, " + b"1" * 5000 + b"]", "the body is not JSON: number out of range"),
        (b"5", 'the body is 5; it must be an object with "inputs"'),
        (b"null", 'the body is null; it must be an object with "inputs"'),
        (b"[]", 'the body is a list of 0; it must be an object with "inputs"'),
        (b"{}", "inputs is missing; it must be a list of at least one input"),
        (b'{"inputs": null}', "inputs is null; it must be a list of at least one input"),
        (b'{"inputs": {}}', "inputs is an object with 0 keys; it must be a list of at least one input"),
        (b'{"inputs": []}', "inputs is a list of 0; it must be a list of at least one input"),
        (b'{"inputs": [5]}', "inputs[0] is 5; it must be an object with a name"),
        (b'{"inputs": [{}]}', "inputs[0]: name is null; it must be text of at least 1 character"),
        (
            b'{"inputs": [{"name": ""}]}',
            'inputs[0]: name is the text ""; it must be text of at least 1 character',
        ),
        (b'{"inputs": [{"name": 7}]}', "inputs[0]: name is 7; it must be text of at least 1 character"),
    ],
)
def test_a_body_that_is_no_request_is_refused(text: bytes, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"id": 5}, "id is 5; it must be text"),
        ({"id": ["a"]}, "id is a list of 1; it must be text"),
        ({"parameters": []}, "parameters is a list of 0; it must be an object"),
        ({"parameters": {"binary_data_output": 1}}, "binary_data_output is 1; it must be true or false"),
        ({"outputs": {}}, "outputs is an object with 0 keys; it must be a list"),
        ({"outputs": ["y"]}, 'outputs[0] is the text "y"; it must be an object with a name'),
        (
            {"outputs": [{"name": "y"}, {}]},
            "outputs[1]: name is null; it must be text of at least 1 character",
        ),
        ({"outputs": [{"name": "y"}] * 2}, 'two outputs are named "y"; every name must be given once'),
        ({"outputs": [{"name": "y", "parameters": 5}]}, 'output "y": parameters is 5; it must be an object'),
        (
            {"outputs": [{"name": "y", "parameters": {"binary_data": "yes"}}]},
            'output "y": binary_data is the text "yes"; it must be true or false',
        ),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(more: dict[str, Any], sentence: str) -> None:
    assert refusal(body(tensor([1.5]), **more)) == sentence


def test_inputs_must_agree_on_the_number_of_rows() -> None:
    text = body(tensor([1.5, 2], name="area"), tensor([1], "INT64", name="rooms"))
    assert refusal(text) == (
        'input "rooms": its first dimension is 1, that of input "area" is 2; '
        "they must be equal, since both count rows"
    )


def test_a_name_given_twice_is_refused() -> None:
    assert (
        refusal(body(tensor([1.5]), tensor([2]))) == 'two inputs are named "x"; every name must be given once'
    )


def test_parameters_of_an_input_must_be_an_object() -> None:
    assert refusal(body(tensor([1.5], parameters=5))) == 'input "x": parameters is 5; it must be an object'


def test_what_is_not_known_is_ignored() -> None:
    noisy: dict[str, Any] = {
        "model_name": "other",
        "parameters": {"priority": 1, "timeout": 5, "headers": {}, "sequence_id": "a"},
        "trace": [1],
    }
    outputs = [{"name": "y", "parameters": {"classification": 3}, "more": 1}]
    request = parsed(body(tensor([1.5], parameters={"shared": 1}, more=2), outputs=outputs, **noisy))
    assert request.columns == {"x": [1.5]}
    assert request.outputs == {"y": None}
    assert request.binary is False


def test_null_stands_for_what_is_not_given() -> None:
    request = parsed(body(tensor([1.5], parameters=None), id=None, parameters=None, outputs=None))
    assert (request.id, request.outputs, request.binary) == ("made", None, False)
    assert parsed(body(tensor([1.5]), outputs=[])).outputs is None


@pytest.mark.parametrize(
    ("given", "told"), [("a", "a"), ("Ä\n\x00", "Ä\n\x00"), ("", "made"), (None, "made")]
)
def test_an_id_is_kept_or_made(given: str | None, told: str) -> None:
    assert parsed(body(tensor([1.5]), id=given)).id == told


def test_binary_outputs_are_asked_for_in_general_and_one_by_one() -> None:
    outputs = [
        {"name": "a"},
        {"name": "b", "parameters": {"binary_data": False}},
        {"name": "c", "parameters": {"binary_data": True}},
    ]
    request = parsed(body(tensor([1.5]), outputs=outputs, parameters={"binary_data_output": True}))
    assert request.binary is True
    assert request.outputs == {"a": None, "b": False, "c": True}


def test_columns_may_have_any_name() -> None:
    names = ["Łódź", " ", "a.b", "\x00", "X", "🙂" * 1000]
    assert list(columns(body(*(tensor([1.5], name=name) for name in names)))) == names
