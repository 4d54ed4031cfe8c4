"""Columns that are told are bounded, and all of them or none."""

from __future__ import annotations

import pytest

from modelyard.api.columns import MAX_SIZE, InputColumn, known_columns
from modelyard.api.crds import RESOURCES, crd
from modelyard.api.kinds import MODEL_TEST

OVERHEAD = len('{"":"FP64"}')


def test_columns_are_known_in_their_order() -> None:
    told = {"rooms": "INT64", "area": "FP64", "Łódź": "BYTES", "new": "BOOL", "\x00": "BYTES"}
    assert known_columns(told) == [InputColumn(name=name, datatype=kind) for name, kind in told.items()]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"": "FP64"},
        {"area": "FP64", "rooms": "FP8"},
        {"area": ""},
        {"half \ud800": "FP64"},
        {"x" * (MAX_SIZE - OVERHEAD + 1): "FP64"},
        {"é" * ((MAX_SIZE - OVERHEAD) // 2 + 1): "FP64"},
        {f"x{number}": "FP64" for number in range(MAX_SIZE // 10)},
    ],
    ids=lambda told: str(told)[:30],
)
def test_none_are_known_where_one_is_wrong_or_all_are_too_long(told: dict[str, str]) -> None:
    assert known_columns(told) is None


def test_what_is_known_fits_into_a_status() -> None:
    """Or the verdict of a test could not be written."""
    (resource,) = (one for one in RESOURCES if one.kind == MODEL_TEST)
    version = crd(resource)["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["columns"]
    longest = known_columns({"x" * (MAX_SIZE - OVERHEAD): "FP64"})
    assert longest is not None
    assert len(longest[0].name) <= schema["items"]["properties"]["name"]["maxLength"]
    names = [chr(letter) for letter in range(33, 127) if chr(letter) not in '"\\']
    most = dict.fromkeys([*names, *(f"{name}{name}" for name in names)], "BOOL")
    while known_columns(most) is None:
        most.popitem()
    assert MAX_SIZE - 20 < sum(len(name) + len('"":"BOOL",') for name in most) <= MAX_SIZE
    assert len(most) <= schema["maxItems"]
