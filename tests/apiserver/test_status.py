"""Spec and status have one writer each, and no one takes a new object for a finished one."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.labels import FIELD_MANAGER
from modelyard.api.meta import Resource
from modelyard.api.model_ledger import ModelLedger
from modelyard.api.model_test import ModelTest
from tests.apiserver.said import create, merge, path_of, refusal
from tests.apiserver.server import Answer, ApiServer
from tests.support.objects import (
    as_applied,
    make_environment,
    make_environment_version,
    make_gate,
    make_ledger,
    make_model,
    make_test,
    make_version,
)

Manifest = dict[str, Any]

WITH_STATUS: list[tuple[type[Resource], Manifest]] = [
    (ExecutionEnvironment, make_environment()),
    (ExecutionEnvironmentVersion, make_environment_version()),
    (CustomModel, make_model(gate=make_gate("rows"))),
    (CustomModelVersion, make_version()),
    (ModelTest, make_test()),
]
CONDITION = {
    "type": "Ready",
    "status": "False",
    "reason": "TestsFailed",
    "message": "row 3",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def apply(
    server: ApiServer, namespace: str, manifest: Manifest, body: Manifest, *, manager: str, sub: str = ""
) -> Answer:
    """Server-side apply of exactly this body."""
    whole = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], **body}
    whole.setdefault("metadata", {"name": manifest["metadata"]["name"]})
    path = path_of(manifest, namespace, named=True, sub=sub) + f"?fieldManager={manager}"
    return server.request("PATCH", path, whole, content_type="application/apply-patch+yaml")


def stored(server: ApiServer, namespace: str, manifest: Manifest) -> Manifest:
    return server.request("GET", path_of(manifest, namespace, named=True)).body


@pytest.mark.parametrize(
    ("resource", "manifest"), WITH_STATUS, ids=[each.__name__ for each, _ in WITH_STATUS]
)
def test_a_new_object_says_that_it_was_not_seen(
    server: ApiServer, namespace: str, resource: type[Resource], manifest: Manifest
) -> None:
    create(server, namespace, manifest)

    found = stored(server, namespace, manifest)

    assert found["status"] == resource.unseen
    assert found["status"]["observedGeneration"] == -1
    assert found["metadata"]["generation"] == 1
    assert resource.model_validate(found).to_json()["spec"].items() >= found["spec"].items()


def test_a_ledger_has_no_status(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_ledger())

    found = stored(server, namespace, make_ledger())

    assert "status" not in found
    assert ModelLedger.model_validate(found).spec.model_name == "hello"


@pytest.mark.parametrize("manifest", [each for _, each in WITH_STATUS], ids=lambda each: each["kind"])
def test_the_operators_status_leaves_spec_and_generation_alone(
    server: ApiServer, namespace: str, manifest: Manifest
) -> None:
    before = create(server, namespace, manifest).body
    status = {"observedGeneration": 1, "conditions": [CONDITION]}

    answer = apply(
        server, namespace, manifest, {"status": status, "spec": {}}, manager=FIELD_MANAGER, sub="status"
    )

    assert refusal(answer) == ""
    found = stored(server, namespace, manifest)
    assert found["status"] == {**before["status"], **status}
    assert found["spec"] == before["spec"]
    assert found["metadata"]["generation"] == 1


def test_a_user_cannot_write_status_by_the_way(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_model())

    merge(server, namespace, make_model(), {"status": {"latestVersion": "forged"}})

    assert stored(server, namespace, make_model())["status"] == {"observedGeneration": -1}


def test_a_change_of_the_spec_raises_the_generation(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_model())

    answer = merge(server, namespace, make_model(), {"spec": {"description": "new"}})

    assert answer.body["metadata"]["generation"] == 2


def test_user_and_operator_own_what_is_theirs(server: ApiServer, namespace: str) -> None:
    manifest = as_applied(make_model())
    manifest["metadata"].pop("namespace")
    apply(server, namespace, manifest, manifest, manager="user")
    status = {"status": {"observedGeneration": 1, "conditions": [CONDITION]}}
    apply(server, namespace, manifest, status, manager=FIELD_MANAGER, sub="status")

    again = apply(server, namespace, manifest, manifest, manager="user")

    assert refusal(again) == ""
    owned = {entry["manager"]: set(entry["fieldsV1"]) for entry in again.body["metadata"]["managedFields"]}
    assert owned == {"user": {"f:spec"}, FIELD_MANAGER: {"f:status"}}
    assert again.body["status"]["conditions"] == [CONDITION]


def test_two_writers_share_lists_that_have_keys(server: ApiServer, namespace: str) -> None:
    """Conditions by type: what another controller adds stays when the operator applies its own."""
    create(server, namespace, make_model())
    foreign = {**CONDITION, "type": "example.com/Approved", "status": "True"}
    apply(
        server,
        namespace,
        make_model(),
        {"status": {"conditions": [foreign]}},
        manager="foreign",
        sub="status",
    )

    apply(
        server,
        namespace,
        make_model(),
        {"status": {"conditions": [CONDITION]}},
        manager=FIELD_MANAGER,
        sub="status",
    )

    types = {entry["type"] for entry in stored(server, namespace, make_model())["status"]["conditions"]}
    assert types == {"Ready", "example.com/Approved"}


def test_a_field_that_the_user_stops_applying_returns_to_its_default(
    server: ApiServer, namespace: str
) -> None:
    manifest = as_applied(make_model(targetType="Binary", predictionThreshold=0.7))
    manifest["metadata"].pop("namespace")
    apply(server, namespace, manifest, manifest, manager="user")
    del manifest["spec"]["predictionThreshold"]

    answer = apply(server, namespace, manifest, manifest, manager="user")

    assert answer.body["spec"]["predictionThreshold"] == 0.5


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            {"conditions": [{**CONDITION, "status": "Maybe"}]},
            'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
        ),
        (
            {"conditions": [CONDITION, CONDITION]},
            'status.conditions[1]: Duplicate value: {"type":"Ready"}',
        ),
    ],
    ids=["a fourth state", "one condition twice"],
)
def test_a_status_keeps_to_its_schema(
    server: ApiServer, namespace: str, status: Manifest, message: str
) -> None:
    create(server, namespace, make_model())

    assert refusal(merge(server, namespace, make_model(), {"status": status}, sub="status")) == message
