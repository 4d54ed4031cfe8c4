"""What MLServer's codecs make of frames, arrays and texts reaches a model as what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.conftest import Town
from tests.gateway.drivers import Driver
from tests.gateway.running import Document, Gateway

COLUMNS: dict[str, list[Any]] = {
    "area": [1.5, None],
    "rooms": [1, 2],
    "district": ["nord", "süd 🏙"],
    "ok": [True, False],
    "mixed": ["a", 2],
}


@pytest.fixture
def codecs(drivers: Callable[[str], Driver]) -> Driver:
    return drivers("mlserver")


def sent(front: Gateway, town: Town, document: Document) -> dict[str, list[object]]:
    """The columns that a model gets of a request."""
    answer = front.ask("POST", "/v2/models/echo/infer", document)
    assert answer.status == 200, answer.body
    return town.asked()


@pytest.mark.parametrize("use_bytes", [True, False])
def test_a_frame_arrives_as_its_columns(codecs: Driver, front: Gateway, town: Town, use_bytes: bool) -> None:
    assert sent(front, town, codecs("from_frame", columns=COLUMNS, use_bytes=use_bytes)) == COLUMNS


def test_an_array_arrives_as_a_column_of_its_rows(codecs: Driver, front: Gateway, town: Town) -> None:
    (column,) = sent(front, town, codecs("from_array", values=[[1, 2], [3, 4]])).values()

    assert column == [[1, 2], [3, 4]]


@pytest.mark.parametrize("use_bytes", [True, False])
def test_texts_arrive_as_a_column(codecs: Driver, front: Gateway, town: Town, use_bytes: bool) -> None:
    (column,) = sent(front, town, codecs("from_texts", texts=["a", "ü"], use_bytes=use_bytes)).values()

    assert column == ["a", "ü"]
