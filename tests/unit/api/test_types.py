"""Manifests parse into types, and types write manifests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.crds import RESOURCES
from modelyard.api.custom_model import CustomModel, CustomModelStatus
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.meta import Condition, Resource
from modelyard.api.model_ledger import ModelLedger
from tests.support.objects import (
    as_applied,
    make_environment,
    make_environment_version,
    make_ledger,
    make_model,
    make_test,
    make_version,
)

Manifest = dict[str, Any]

MADE = {
    manifest["kind"]: manifest
    for manifest in (
        make_environment(),
        make_environment_version(),
        make_model(),
        make_version(),
        make_test(),
        make_ledger(),
    )
}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.__name__)
def test_a_manifest_survives_the_types(resource: type[Resource]) -> None:
    manifest = MADE[resource.kind.name]

    written = resource.model_validate(manifest).to_json()

    kept = {field: written["spec"].get(field) for field in manifest["spec"]}
    assert kept == manifest["spec"], (
        "defaults that are spelled out in tests/support/objects.py must be complete"
    )
    assert written["metadata"]["creationTimestamp"] == manifest["metadata"]["creationTimestamp"]


def test_fields_of_a_newer_release_are_ignored() -> None:
    model = CustomModel.model_validate(make_model(promotion={"policy": "Manual"}))

    assert "promotion" not in model.to_json()["spec"]


def test_an_object_cannot_be_changed_by_mistake() -> None:
    model = CustomModel.model_validate(make_model())

    with pytest.raises(ValidationError, match="frozen"):
        model.spec.target_name = "other"  # type: ignore[misc]


def test_times_are_utc_in_whole_seconds() -> None:
    text = "2026-01-01T01:00:00.999999+01:00"

    condition = Condition(type="Ready", status="True", reason="Fine", last_transition_time=text)

    assert condition.last_transition_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert condition.to_json()["lastTransitionTime"] == "2026-01-01T00:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Condition(
            type="Ready",
            status="True",
            reason="Fine",
            last_transition_time="2026-01-01T00:00:00",
        )


def test_what_is_not_set_is_not_written() -> None:
    assert CustomModelStatus(observed_generation=1).to_json() == {
        "observedGeneration": 1,
        "conditions": [],
        "versions": 0,
    }


@pytest.mark.parametrize(
    ("spec", "labels"),
    [
        ({"targetType": "Regression"}, (None, None)),
        ({"targetType": "Binary"}, ("1", "0")),
        (
            {"targetType": "Binary", "positiveClassLabel": "yes", "negativeClassLabel": "no"},
            ("yes", "no"),
        ),
    ],
)
def test_class_labels_are_those_in_effect(
    spec: Manifest, labels: tuple[str, str] | tuple[None, None]
) -> None:
    assert CustomModel.model_validate(make_model(**spec)).spec.labels() == labels


def test_a_quantity_is_text_however_it_was_written() -> None:
    version = CustomModelVersion.model_validate(make_version(cpu=2, maximumMemory=134217728))

    assert (version.spec.cpu, version.spec.maximum_memory) == ("2", "134217728")


def test_a_ledger_starts_empty() -> None:
    ledger = ModelLedger.model_validate(make_ledger())

    assert ledger.spec.to_json() == {"modelName": "hello", "versions": [], "promotions": []}


def test_what_a_user_applies_has_nothing_of_the_server() -> None:
    applied = as_applied(make_model(metadata={"labels": {"team": "a"}}))

    assert applied["metadata"] == {"name": "hello", "namespace": "team-a", "labels": {"team": "a"}}
    assert "status" not in applied
