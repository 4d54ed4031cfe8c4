"""Metadata, health, errors, and the OpenAPI document."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from modelyard.gateway.protocol import (
    Refused,
    error,
    live,
    model_metadata,
    model_ready,
    openapi,
    parse_infer,
    server_metadata,
    server_ready,
)
from modelyard.gateway.protocol.datatypes import DATATYPES
from modelyard.gateway.protocol.openapi import _EXAMPLE
from modelyard.gateway.route import Column, Model, Target, Version

DOCUMENT: dict[str, Any] = orjson.loads(openapi())


def test_the_server_announces_the_binary_extension() -> None:
    assert orjson.loads(server_metadata("1.2.3")) == {
        "name": "modelyard",
        "version": "1.2.3",
        "extensions": ["binary_tensor_data"],
    }


def test_health_is_told_in_words() -> None:
    assert orjson.loads(live()) == {"live": True}
    assert orjson.loads(server_ready(True)) == {"ready": True}
    assert orjson.loads(server_ready(False)) == {"ready": False, "error": "the gateway is not ready"}
    assert orjson.loads(model_ready("flats", "1.0", True)) == {
        "name": "flats",
        "version": "1.0",
        "ready": True,
    }
    assert orjson.loads(model_ready("flats", "1.0", False)) == {
        "name": "flats",
        "version": "1.0",
        "ready": False,
        "error": 'no pod of model "flats" version "1.0" is ready',
    }


def test_an_error_is_one_field_whatever_the_message() -> None:
    assert error("ü \n \ud800") == '{"error":"ü \\n ?"}'.encode()


@pytest.mark.parametrize(
    ("target", "outputs"),
    [
        (Target("Regression", "price"), [("price", "FP64")]),
        (Target("Anomaly", "oddness"), [("oddness", "FP64")]),
        (Target("Binary", "sold", ("yes", "no")), [("yes", "FP64"), ("no", "FP64"), ("sold", "BYTES")]),
        (Target("Binary", "yes", ("yes", "no")), [("yes", "FP64"), ("no", "FP64")]),
        (Target("Multiclass", "kind", ("a", "b")), [("a", "FP64"), ("b", "FP64"), ("kind", "BYTES")]),
    ],
)
def test_metadata_lists_versions_inputs_and_outputs(target: Target, outputs: list[tuple[str, str]]) -> None:
    serving = Version("1.10", target, "/m", columns=(Column("area", "FP64"), Column("district", "BYTES")))
    versions = dict.fromkeys(("1.10", "1.9", "1.2", "beta"), serving)
    assert orjson.loads(model_metadata(Model("team", "flats", versions, "1.10"), serving)) == {
        "name": "flats",
        "versions": ["beta", "1.2", "1.9", "1.10"],
        "platform": "modelyard",
        "inputs": [
            {"name": "area", "datatype": "FP64", "shape": [-1]},
            {"name": "district", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in outputs],
    }


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            yield path, operation


def test_every_route_is_described_with_and_without_namespace_and_version() -> None:
    of_server = ["", "/health/live", "/health/ready", "/openapi.json"]
    of_model = [
        f"/models/{{model}}{version}{end}"
        for version in ("", "/versions/{version}")
        for end in ("", "/ready", "/infer")
    ]
    assert sorted(DOCUMENT["paths"]) == sorted(
        f"{prefix}/v2{rest}" for prefix in ("", "/{namespace}") for rest in of_server + of_model
    )


def test_every_operation_has_an_id_of_its_own_and_its_paths_parameters() -> None:
    told = list(operations())
    assert len({operation["operationId"] for _, operation in told}) == len(told)
    for path, operation in told:
        assert [f"{{{parameter['name']}}}" for parameter in operation["parameters"]] == [
            part for part in path.split("/") if part.startswith("{")
        ]


def test_what_is_not_ready_says_when_it_may_be() -> None:
    for path, operation in operations():
        unready = operation["responses"].get("503", {"headers": "Retry-After"})
        assert "$ref" in unready or "Retry-After" in unready["headers"], path


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    found = set(references(DOCUMENT))
    components = DOCUMENT["components"]
    assert found == {f"#/components/{kind}/{name}" for kind in components for name in components[kind]}


def test_the_example_is_a_good_request() -> None:
    request = parse_infer(orjson.dumps(_EXAMPLE), None, "made")
    assert request.columns == {
        "area": [55.5, 28.0],
        "rooms": [2, None],
        "district": ["north", "süd"],
    }


@pytest.mark.parametrize("name", [name for name in DATATYPES if name not in {"BOOL", "BYTES", "FP64"}])
def test_the_ranges_that_are_described_are_those_that_are_taken(name: str) -> None:
    items = DOCUMENT["components"]["schemas"][f"{name}Input"]["properties"]["data"]["items"]
    element = items["anyOf"][0]

    def ask(value: float) -> None:
        one = {"name": "x", "shape": [1], "datatype": name, "data": [value]}
        parse_infer(json.dumps({"inputs": [one]}).encode(), None, "made")

    for end, beyond in (("inimum", -1), ("aximum", 1)):
        if name.startswith("FP"):
            first_refused = element[f"exclusiveM{end}"]
            last_taken = math.nextafter(first_refused, 0)
        else:
            last_taken = element[f"m{end}"]
            first_refused = last_taken + beyond
        ask(last_taken)
        with pytest.raises(Refused):
            ask(first_refused)
