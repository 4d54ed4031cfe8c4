"""Tensors of many elements, which are nested piece by piece, look like those of few."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import pytest

from tests.unit.gateway.protocol.asking import body, column, parsed, raw_column, tensor


def nested(values: list[Any], shape: list[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        values = [values[at : at + size] for at in range(0, len(values), size)]
    return values


@pytest.mark.parametrize(
    "shape",
    [
        [4_096],
        [4_097],
        [4_096, 2],
        [2, 4_097],
        [3, 64],
        [3, 65],
        [2, 2, 100],
        [50, 100],
        [10_000, 3],
        [2, 15_000],
        [2, 3, 5_000],
        [1, 1, 1, 1, 1, 1, 5_000, 1],
    ],
)
def test_a_tensor_is_nested_alike_whatever_its_size(shape: list[int]) -> None:
    values = list(range(prod(shape)))
    sent = nested(values, shape)
    assert column(values, "INT64", shape) == sent
    assert column(sent, "INT64", shape) == sent
    assert column([float(value) for value in values], "FP32", shape) == sent
    assert raw_column(struct.pack(f"<{len(values)}q", *values), "INT64", shape) == sent


def test_columns_of_many_and_of_few_elements_go_together() -> None:
    few = tensor([None, *range(4_999)], "FP64", name="ü")
    request = parsed(body(few, tensor(list(range(10_000)), "INT64", [5_000, 2], name='"')))
    assert list(request.columns) == ["ü", '"']
