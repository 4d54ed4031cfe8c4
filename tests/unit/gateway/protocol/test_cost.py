"""What reading costs: time that grows with the body alone, memory that a shape cannot ask for."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import orjson
import pytest

from modelyard.gateway.protocol import Refused, parse_infer, to_model
from modelyard.gateway.protocol.framing import MOST_LISTS, MOST_SLOWLY, read_json
from modelyard.gateway.protocol.predictions import read_predictions
from modelyard.gateway.protocol.refusal import Wrong
from modelyard.gateway.route import Target
from tests.unit.gateway.protocol.asking import raw_body, tensor

PRICE = Target("Regression", "price")
SEX = Target("Binary", "sex", ("female", "[male]"))

Body = tuple[bytes, int | None]


def many_inputs(count: int) -> Body:
    return orjson.dumps({"inputs": [tensor([1.5], name=str(index)) for index in range(count)]}), None


def many_raw_inputs(count: int) -> Body:
    return raw_body(*((tensor(None, "INT8", [1], name=str(index)), b"a") for index in range(count)))


def many_outputs(count: int) -> Body:
    outputs = [{"name": str(index)} for index in range(count)]
    return orjson.dumps({"inputs": [tensor([1.5])], "outputs": outputs}), None


def many_texts(count: int) -> Body:
    return raw_body((tensor(None, "BYTES", [count]), b"\1\0\0\0a" * count))


def many_texts_the_last_one_short(count: int) -> Body:
    return raw_body((tensor(None, "BYTES", [count]), b"\1\0\0\0a" * (count - 1) + b"\2\0\0\0a"))


def many_nulls(count: int) -> Body:
    return orjson.dumps({"inputs": [tensor([None] * count)]}), None


def many_narrow_rows(count: int) -> Body:
    return raw_body((tensor(None, "INT8", [count, 1, 1, 1]), b"a" * count))


def many_lists(count: int) -> Body:
    return orjson.dumps({"inputs": [tensor([[1.5, 2.5]] * count, shape=[count, 2])]}), None


def uneven_lists(count: int) -> Body:
    return orjson.dumps({"inputs": [tensor([[1.5, 2.5]] * (count - 1) + [[1.5]], shape=[count, 2])]}), None


def many_nans(count: int) -> Body:
    return b'{"inputs":[{"name":"x","datatype":"FP64","shape":[%d],"data":[%b]}]}' % (
        count,
        b",".join([b"NaN"] * count),
    ), None


def a_long_number(count: int) -> Body:
    return b'{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[0.%b, NaN]}]}' % (
        b"1" * count
    ), None


def a_long_shape(count: int) -> Body:
    return orjson.dumps({"inputs": [tensor([1], shape=[10**18] * count)]}), None


def open_brackets(count: int) -> Body:
    return b"[" * count + b"NaN", None


def seconds(body: Body) -> float:
    """The shortest of three readings."""
    found = []
    for _ in range(3):
        begun = process_time()
        with suppress(Refused):
            to_model(parse_infer(*body, "made"))
        found.append(process_time() - begun)
    return min(found)


@pytest.mark.parametrize(
    "of",
    [
        many_inputs,
        many_raw_inputs,
        many_outputs,
        many_texts,
        many_texts_the_last_one_short,
        many_nulls,
        many_narrow_rows,
        many_lists,
        uneven_lists,
        many_nans,
        a_long_number,
        a_long_shape,
        open_brackets,
    ],
)
def test_time_grows_with_the_body(of: Callable[[int], Body]) -> None:
    """Eight times the body: eight times the time, and three times that for noise, where squares would be 64."""
    few, many = of(600), of(4_800)
    gc.disable()
    try:
        assert seconds(many) < 24 * seconds(few) + 0.001
    finally:
        gc.enable()


def shortest(reading: Callable[[bytes], object], text: bytes) -> float:
    """Seconds of the shortest of three readings."""
    found = []
    for _ in range(3):
        begun = process_time()
        reading(text)
        found.append(process_time() - begun)
    return min(found)


def test_integers_beside_a_nan_cost_what_they_cost_pythons_own_reader() -> None:
    text = b'{"a":[NaN,' + b"1," * 300_000 + b"1]}"
    assert shortest(read_json, text) < 3 * shortest(json.loads, text)


def test_long_integers_beside_a_nan_are_read_one_by_one_and_so_in_short_bodies_alone() -> None:
    text = b"[NaN" + b",12345678901234567890" * 10
    assert read_json(text + b"]") != []
    long = text + b" " * MOST_SLOWLY
    with pytest.raises(Refused, match="NaN or Infinity beside integers of more than 18 digits") as caught:
        read_json(long + b"]")
    assert caught.value.status == 413
    for digits in (b"0.1234567890123456789", b"123456789012345678", b'"12345678901234567890"'):
        assert read_json(long.replace(b"12345678901234567890", digits) + b"]") != []


def peak(body: Body) -> int:
    """Most bytes of memory that reading takes beside the body, with what it leaves to the collector of garbage."""
    gc.disable()
    tracemalloc.start()
    try:
        with suppress(Refused):
            to_model(parse_infer(*body, "made"))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.parametrize("datatype", ["INT8", "FP64", "BYTES", "BOOL"])
@pytest.mark.parametrize("shape", [[10**18], [10**18, 10**18], [1, 10**18], [2**63 - 1]])
def test_a_huge_shape_takes_no_memory(datatype: str, shape: list[int]) -> None:
    assert peak(raw_body((tensor(None, datatype, shape), bytes(8)))) < 50_000
    assert peak((orjson.dumps({"inputs": [tensor([1], datatype, shape)]}), None)) < 50_000


@pytest.mark.parametrize("shape", [[100_000], [50_000, 2], [1, 100_000], [2, 2, 25_000]])
def test_a_large_tensor_takes_but_a_few_times_its_json_in_memory(shape: list[int]) -> None:
    body = raw_body((tensor(None, "FP32", shape), b"\xcd\xcc\xcc\x3d" * 100_000))
    told = len(to_model(parse_infer(*body, "made")))
    # Its pieces, and the body for the model; objects for all elements would be as much again.
    assert peak(body) < 2.4 * told


@pytest.mark.parametrize("item", [b"[]", b"{}", b'{"a":[]}'])
@pytest.mark.parametrize("beside", [b"0", b"NaN"])
def test_a_body_that_is_all_lists_is_refused_before_it_is_read(item: bytes, beside: bytes) -> None:
    text = b'{"inputs":[' + b",".join([beside, *[item] * MOST_LISTS]) + b"]}"
    with pytest.raises(Refused, match=f"more than {MOST_LISTS} lists and objects") as caught:
        read_json(text)
    assert caught.value.status == 413
    assert peak((text, None)) < 100_000


def test_as_many_lists_are_read_as_there_may_be() -> None:
    lists = read_json(b"[" + b",".join([b"[]"] * (MOST_LISTS - 1)) + b"]")
    assert isinstance(lists, list)
    assert len(lists) == MOST_LISTS - 1


@pytest.mark.parametrize("target", [PRICE, SEX])
@pytest.mark.parametrize("rows", [1, 1_000])
def test_an_answer_that_is_all_lists_is_refused_before_it_is_read(target: Target, rows: int) -> None:
    answer = b'{"predictions":[' + b",".join([b"[]"] * (MOST_LISTS + 3 * rows)) + b"]}"
    with pytest.raises(Wrong, match="too many lists and objects"):
        read_predictions(answer, rows, target)


@pytest.mark.parametrize("target", [PRICE, SEX])
def test_an_answer_is_held_to_what_so_many_rows_need(target: Target) -> None:
    """However its numbers and the space around them are written."""
    rows = 20_000
    number = -1.2345678901234567e-300
    entry: object = dict.fromkeys(target.labels, number) if target.labels else number
    document = {"predictions": [entry] * rows}
    text = json.dumps(document, indent=4).encode()
    assert list(read_predictions(text, rows, target).values()) == [[number] * rows] * max(
        1, len(target.labels)
    )
    with pytest.raises(Wrong, match="its answer is larger than"):
        read_predictions(text + b" " * 8_000_000, rows, target)
