"""What the Service of a version says to the gateway is what its pods were told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.columns import InputColumn
from modelyard.manifests.route import LONGEST, route_annotation
from tests.unit.manifests.builders import make_frozen


def target(**model: Any) -> dict[str, Any]:
    """The target that the Service of a version of such a model tells."""
    found: dict[str, Any] = json.loads(route_annotation(make_frozen(model=model))[labels.ROUTE])["target"]
    return found


def test_a_route_says_whose_version_it_is_and_where_it_answers() -> None:
    text = route_annotation(make_frozen())[labels.ROUTE]
    assert text == (
        '{"model":"hello","label":"1.0","urlPrefix":"/models/team-a/hello",'
        '"target":{"type":"Regression","name":"y"}}'
    )


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            {"targetType": "Binary", "targetName": "sold"},
            {"type": "Binary", "name": "sold", "labels": ["1", "0"], "threshold": 0.5},
        ),
        (
            {
                "targetType": "Binary",
                "positiveClassLabel": "$(yes) $$5",
                "negativeClassLabel": "nein, »Ü«",
                "predictionThreshold": 0.125,
            },
            {"type": "Binary", "name": "y", "labels": ["$(yes) $$5", "nein, »Ü«"], "threshold": 0.125},
        ),
        (
            {"targetType": "Multiclass", "classLabels": ["z", "a", "$x"]},
            {"type": "Multiclass", "name": "y", "labels": ["z", "a", "$x"]},
        ),
        ({"targetType": "Anomaly"}, {"type": "Anomaly", "name": "y"}),
    ],
)
def test_a_target_is_told_as_the_model_has_it(model: dict[str, Any], told: dict[str, Any]) -> None:
    assert target(**model) == told


def test_columns_are_told_in_their_order() -> None:
    columns = [InputColumn(name="Łódź", datatype="BYTES"), InputColumn(name='"a"', datatype="INT64")]
    bare, told = route_annotation(make_frozen()), route_annotation(make_frozen(), columns)
    assert told[labels.ROUTE] == bare[labels.ROUTE].removesuffix("}") + (
        ',"columns":[{"name":"Łódź","datatype":"BYTES"},{"name":"\\"a\\"","datatype":"INT64"}]}'
    )
    assert route_annotation(make_frozen(), []) == bare


def test_columns_beside_labels_that_fill_the_annotation_are_left_unsaid() -> None:
    """Without labels no answer could be read; without columns every one can."""
    large = [chr(0x10000) * 499 + chr(0x4E00 + i) for i in range(100)]
    frozen = make_frozen(model={"targetType": "Multiclass", "classLabels": large})
    columns = [InputColumn(name="x" * 2000, datatype="FP64") for _ in range(3)]
    bare = route_annotation(frozen)
    assert bare
    assert route_annotation(frozen, columns) == bare


def test_labels_that_no_annotation_can_hold_are_left_unsaid() -> None:
    huge = [chr(1) * 499 + chr(0x4E00 + i) for i in range(100)]
    assert route_annotation(make_frozen(model={"targetType": "Multiclass", "classLabels": huge})) == {}
    large = [chr(0x10000) * 499 + chr(0x4E00 + i) for i in range(100)]
    text = route_annotation(make_frozen(model={"targetType": "Multiclass", "classLabels": large}))
    assert LONGEST * 0.9 < len(text[labels.ROUTE].encode()) <= LONGEST
