"""What cannot be changed, cannot be changed in any way: edited, removed, or removed and added again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.said import create, merge, refusal
from tests.apiserver.server import ApiServer
from tests.support.objects import (
    make_dataset,
    make_environment_version,
    make_model,
    make_test,
    make_version,
)

Manifest = dict[str, Any]

VERSION = "of a version only the description can be; create a new CustomModelVersion instead"
TEST = "a test runs once; create a new ModelTest instead"
ENVIRONMENT = "change the ExecutionEnvironment instead, which makes a new version"

FULL_VERSION = make_version(
    desiredMemory="512Mi",
    environmentRef={"name": "python", "version": 1},
    environmentVariables=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
)
FULL_ENVIRONMENT_VERSION = make_environment_version(
    imagePullSecrets=[{"name": "pull"}], startCommand=["serve"], label="first"
)
FULL_TEST = make_test(
    maximumMemory="512Mi",
    replicas=2,
    requiresHa=False,
    networkEgressPolicy="NONE",
    ttlSecondsAfterFinished=60,
)

EDITS: list[tuple[Manifest, str, object, str]] = [
    (FULL_VERSION, "modelRef", {"name": "other"}, VERSION),
    (FULL_VERSION, "label", "1.1", VERSION),
    (FULL_VERSION, "isMajorUpdate", False, VERSION),
    (FULL_VERSION, "source", {"inline": [{"path": "start_server.sh", "content": "other"}]}, VERSION),
    (FULL_VERSION, "source", {"inline": None, "configMap": {"name": "code"}}, VERSION),
    (FULL_VERSION, "environmentRef", {"version": 2}, VERSION),
    (FULL_VERSION, "replicas", 2, VERSION),
    (FULL_VERSION, "requiresHa", True, VERSION),
    (FULL_VERSION, "maximumMemory", "2Gi", VERSION),
    (FULL_VERSION, "desiredMemory", "256Mi", VERSION),
    (FULL_VERSION, "cpu", 1, VERSION),
    (FULL_VERSION, "networkEgressPolicy", "PUBLIC", VERSION),
    (FULL_VERSION, "environmentVariables", [{"name": "A", "value": "2"}], VERSION),
    (FULL_VERSION, "startup", {"timeoutSeconds": 10}, VERSION),
    (FULL_ENVIRONMENT_VERSION, "environmentRef", {"name": "other"}, ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "number", 2, ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "image", "registry.example/other:1", ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "imagePullSecrets", [], ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "startCommand", ["other"], ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "label", "second", ENVIRONMENT),
    (make_test(), "versionRef", {"name": "other"}, TEST),
    (make_test(), "dataset", make_dataset('{"x": [3]}'), TEST),
    (make_test(), "configuration", {"errorCheck": "skip"}, TEST),
    (make_test(), "timeoutSeconds", 60, TEST),
    (FULL_TEST, "maximumMemory", "1Gi", TEST),
    (FULL_TEST, "replicas", 3, TEST),
    (FULL_TEST, "requiresHa", True, TEST),
    (FULL_TEST, "networkEgressPolicy", "PUBLIC", TEST),
]
REMOVALS = [
    (FULL_VERSION, "label", VERSION),
    (FULL_VERSION, "desiredMemory", VERSION),
    (FULL_VERSION, "environmentVariables", VERSION),
    (FULL_ENVIRONMENT_VERSION, "label", ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "startCommand", ENVIRONMENT),
    (FULL_ENVIRONMENT_VERSION, "imagePullSecrets", ENVIRONMENT),
    (FULL_TEST, "maximumMemory", TEST),
    (FULL_TEST, "replicas", TEST),
    (FULL_TEST, "requiresHa", TEST),
    (FULL_TEST, "networkEgressPolicy", TEST),
]
SPARSE_VERSION = make_version(label=None, replicas=None, cpu=None, startup=None, maximumMemory=None)
SPARSE_TEST = make_test(dataset=None, configuration={"errorCheck": "skip"})
ADDITIONS: list[tuple[Manifest, str, object, str]] = [
    (SPARSE_VERSION, "label", "1.0", VERSION),
    (SPARSE_VERSION, "desiredMemory", "512Mi", VERSION),
    (SPARSE_VERSION, "environmentVariables", [{"name": "A", "value": "1"}], VERSION),
    (SPARSE_VERSION, "replicas", 2, VERSION),
    (SPARSE_VERSION, "cpu", "500m", VERSION),
    (SPARSE_VERSION, "startup", {"timeoutSeconds": 10}, VERSION),
    (SPARSE_VERSION, "maximumMemory", "2Gi", VERSION),
    (SPARSE_TEST, "dataset", make_dataset(), TEST),
    (SPARSE_TEST, "maximumMemory", "2Gi", TEST),
    (SPARSE_TEST, "replicas", 2, TEST),
    (SPARSE_TEST, "requiresHa", True, TEST),
    (SPARSE_TEST, "networkEgressPolicy", "NONE", TEST),
]


def _said(field: str, advice: str) -> str:
    return f"spec.{field}: Invalid value: {field} cannot be changed; {advice}"


@pytest.mark.parametrize(
    ("manifest", "field", "value", "advice"), EDITS, ids=[f"{case[0]['kind']}.{case[1]}" for case in EDITS]
)
def test_a_frozen_field_cannot_be_edited(
    server: ApiServer, namespace: str, manifest: Manifest, field: str, value: object, advice: str
) -> None:
    create(server, namespace, manifest)

    answer = merge(server, namespace, manifest, {"spec": {field: value}})

    assert refusal(answer) == _said(field, advice)


@pytest.mark.parametrize(
    ("manifest", "field", "advice"), REMOVALS, ids=[f"{case[0]['kind']}.{case[1]}" for case in REMOVALS]
)
def test_a_frozen_field_cannot_be_removed(
    server: ApiServer, namespace: str, manifest: Manifest, field: str, advice: str
) -> None:
    create(server, namespace, manifest)

    answer = merge(server, namespace, manifest, {"spec": {field: None}})

    assert refusal(answer) == _said(field, advice)


@pytest.mark.parametrize(
    ("manifest", "field", "value", "advice"),
    ADDITIONS,
    ids=[f"{case[0]['kind']}.{case[1]}" for case in ADDITIONS],
)
def test_a_field_that_was_left_out_cannot_be_added(
    server: ApiServer, namespace: str, manifest: Manifest, field: str, value: object, advice: str
) -> None:
    create(server, namespace, manifest)

    answer = merge(server, namespace, manifest, {"spec": {field: value}})

    assert refusal(answer) == _said(field, advice)


def test_a_source_cannot_be_left_out_later(server: ApiServer, namespace: str) -> None:
    create(server, namespace, FULL_VERSION)

    answer = merge(server, namespace, FULL_VERSION, {"spec": {"source": None}})

    assert refusal(answer) == "spec.source: Required value"


def test_a_versions_description_can_be_added_changed_and_removed(server: ApiServer, namespace: str) -> None:
    create(server, namespace, FULL_VERSION)

    for description in ("new", "newer", None):
        answer = merge(server, namespace, FULL_VERSION, {"spec": {"description": description}})

        assert refusal(answer) == ""
        assert answer.body["spec"].get("description") == description


def test_what_says_the_same_is_no_change(server: ApiServer, namespace: str) -> None:
    create(server, namespace, SPARSE_VERSION)
    defaults = {"replicas": 1, "cpu": "250m", "startup": {"timeoutSeconds": 300}, "maximumMemory": "1Gi"}

    assert refusal(merge(server, namespace, SPARSE_VERSION, {"spec": defaults})) == ""


@pytest.mark.parametrize("check", ["nullValueImputation", "sideEffects", "tolerance", "sampleRows"])
def test_what_a_test_checks_cannot_be_edited(server: ApiServer, namespace: str, check: str) -> None:
    create(server, namespace, make_test())
    edited = {"tolerance": {"absolute": 1}, "sampleRows": 1}.get(check, "skip")

    answer = merge(server, namespace, make_test(), {"spec": {"configuration": {check: edited}}})

    assert refusal(answer) == _said("configuration", TEST)


@pytest.mark.parametrize("back", [False, None], ids=["false", "removed"])
def test_a_test_can_be_canceled_once_and_for_all(server: ApiServer, namespace: str, back: object) -> None:
    create(server, namespace, FULL_TEST)

    assert refusal(merge(server, namespace, FULL_TEST, {"spec": {"cancel": True}})) == ""
    assert refusal(merge(server, namespace, FULL_TEST, {"spec": {"cancel": True}})) == ""
    assert refusal(merge(server, namespace, FULL_TEST, {"spec": {"cancel": back}})) == (
        "spec.cancel: Invalid value: cancel cannot be taken back; create a new ModelTest instead"
    )


def test_how_long_a_test_stays_can_be_added_changed_and_removed(server: ApiServer, namespace: str) -> None:
    create(server, namespace, SPARSE_TEST)

    for seconds in (0, 3600, None):
        answer = merge(server, namespace, SPARSE_TEST, {"spec": {"ttlSecondsAfterFinished": seconds}})

        assert refusal(answer) == ""
        assert answer.body["spec"].get("ttlSecondsAfterFinished") == seconds


def test_a_models_target_type_cannot_be_changed(server: ApiServer, namespace: str) -> None:
    create(server, namespace, make_model())

    answer = merge(server, namespace, make_model(), {"spec": {"targetType": "Binary"}})

    assert refusal(answer) == (
        "spec.targetType: Invalid value: targetType cannot be changed; create a new CustomModel instead"
    )


BINARY = make_model(targetType="Binary", positiveClassLabel="yes", negativeClassLabel="no")
MULTICLASS = make_model(targetType="Multiclass", classLabels=["a", "b", "c"])
SERVING = {
    "serving": {"name": "hello-1", "label": "1.0", "key": "0123456789", "since": "2026-01-01T00:00:00Z"}
}
TESTED = {"candidate": {"name": "hello-1"}}
LOCKED: list[tuple[str, Manifest, object]] = [
    ("targetName", BINARY, "other"),
    ("positiveClassLabel", BINARY, "other"),
    ("negativeClassLabel", BINARY, "other"),
    ("classLabels", MULTICLASS, ["a", "b", "c", "d"]),
    ("classLabels", MULTICLASS, ["b", "a", "c"]),
    ("classLabels", MULTICLASS, ["a", "b"]),
]


def _locked(field: str) -> str:
    return (
        f"spec.{field}: Invalid value: {field} is locked while a version serves or is tested, because "
        "its pods were told the old value; create a new CustomModel instead"
    )


@pytest.mark.parametrize("status", [SERVING, TESTED], ids=["serves", "is tested"])
@pytest.mark.parametrize(
    ("field", "model", "value"), LOCKED, ids=[f"{field}={value}" for field, _, value in LOCKED]
)
def test_what_pods_were_told_is_locked_while_a_version_serves_or_is_tested(
    server: ApiServer, namespace: str, field: str, model: Manifest, value: object, status: Manifest
) -> None:
    create(server, namespace, model)
    merge(server, namespace, model, {"status": status}, sub="status")

    assert refusal(merge(server, namespace, model, {"spec": {field: value}})) == _locked(field)


def test_classes_can_be_renamed_before_a_version_is_there(server: ApiServer, namespace: str) -> None:
    create(server, namespace, MULTICLASS)

    assert refusal(merge(server, namespace, MULTICLASS, {"spec": {"classLabels": ["x", "y"]}})) == ""


def test_labels_cannot_be_removed_while_a_version_serves(server: ApiServer, namespace: str) -> None:
    create(server, namespace, BINARY)
    merge(server, namespace, BINARY, {"status": SERVING}, sub="status")
    labels = {"positiveClassLabel": None, "negativeClassLabel": None}

    said = refusal(merge(server, namespace, BINARY, {"spec": labels}))

    assert said == f"[{_locked('positiveClassLabel')}, {_locked('negativeClassLabel')}]"


def test_nothing_is_locked_before_a_version_serves(server: ApiServer, namespace: str) -> None:
    create(server, namespace, BINARY)
    spec = {"targetName": "other", "positiveClassLabel": "1", "negativeClassLabel": "0"}

    assert refusal(merge(server, namespace, BINARY, {"spec": spec})) == ""


def test_the_rest_of_a_serving_model_can_be_changed(server: ApiServer, namespace: str) -> None:
    create(server, namespace, BINARY)
    merge(server, namespace, BINARY, {"status": SERVING}, sub="status")
    spec = {"description": "new", "predictionThreshold": 0.7, "callers": [{"podSelector": {}}]}

    assert refusal(merge(server, namespace, BINARY, {"spec": spec})) == ""


def test_the_operator_can_set_and_clear_what_serves(server: ApiServer, namespace: str) -> None:
    create(server, namespace, BINARY)

    assert refusal(merge(server, namespace, BINARY, {"status": SERVING}, sub="status")) == ""
    assert refusal(merge(server, namespace, BINARY, {"status": {"serving": None}}, sub="status")) == ""
