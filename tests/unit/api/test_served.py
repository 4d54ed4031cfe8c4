"""A cluster whose CRDs are older than the operator is found out, by the fields that it lacks."""

from __future__ import annotations

import copy
from typing import Any

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.served import lacking


def published() -> dict[str, Any]:
    """What a cluster publishes that has our CRDs as they are."""
    schemas = {
        f"dev.modelyard.v1alpha1.{resource.kind.name}": crd(resource)["spec"]["versions"][0]["schema"][
            "openAPIV3Schema"
        ]
        for resource in RESOURCES
    }
    return {"components": {"schemas": copy.deepcopy(schemas)}}


def properties(document: dict[str, Any], kind: str, *path: str) -> dict[str, Any]:
    schema = document["components"]["schemas"][f"dev.modelyard.v1alpha1.{kind}"]
    for name in path:
        schema = schema["properties"][name] if name != "[]" else schema["items"]
    found: dict[str, Any] = schema["properties"]
    return found


def test_a_cluster_with_our_crds_lacks_nothing() -> None:
    assert lacking(published()) == []


def test_a_cluster_without_our_crds_lacks_every_kind() -> None:
    assert lacking({}) == [resource.kind.name for resource in RESOURCES]


def test_a_field_that_is_missing_is_named_without_what_lies_below_it() -> None:
    older = published()
    del properties(older, "CustomModel", "spec")["gate"]
    del properties(older, "ModelTest", "status")["report"]

    assert lacking(older) == ["CustomModel.spec.gate", "ModelTest.status.report"]


def test_a_field_within_a_list_is_missed() -> None:
    older = published()
    del properties(older, "CustomModel", "spec", "gate", "tests", "[]", "configuration")["sampleRows"]

    assert lacking(older) == ["CustomModel.spec.gate.tests.configuration.sampleRows"]


def test_a_cluster_may_know_more_than_we_do() -> None:
    newer = published()
    properties(newer, "CustomModel", "spec")["tomorrow"] = {"type": "string"}

    assert lacking(newer) == []
