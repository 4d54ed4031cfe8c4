"""What is read from YAML: objects as the API server would take them, or a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from modelyard.rendering.documents import Documents, Text, read
from tests.support.objects import as_applied, make_environment, make_model, make_version


def documents(*manifests: Any) -> Documents:
    return read([Text("f.yaml", yaml.safe_dump_all(manifests))], "team-a")


def model(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CustomModel",
        "metadata": {"name": "hello"},
        "spec": {"targetType": "Regression", "targetName": "y", **spec},
    }


def test_an_object_without_a_namespace_is_of_the_one_that_is_asked_for() -> None:
    named = {**model(), "metadata": {"name": "other", "namespace": "team-b"}}

    found = documents(model(), named)

    assert [one["metadata"]["namespace"] for one in found.objects] == ["team-a", "team-b"]
    assert found.problems == []


def test_an_empty_document_is_none() -> None:
    found = read([Text("f.yaml", "---\n---\n# nothing\n---\n")], "team-a")

    assert found == Documents()


def test_a_list_is_what_is_in_it() -> None:
    found = documents({"apiVersion": "v1", "kind": "List", "items": [model()]})

    assert [one["kind"] for one in found.objects] == ["CustomModel"]


def test_json_is_yaml() -> None:
    found = read(
        [Text("f.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}')], "team-a"
    )

    assert [one["kind"] for one in found.objects] == ["ConfigMap"]


def test_what_looks_like_a_date_stays_text_as_kubectl_has_it() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  day: 2026-01-01\n"

    assert read([Text("f.yaml", text)], "team-a").objects[0]["data"] == {"day": "2026-01-01"}


def test_a_number_without_a_point_is_a_number_as_kubectl_has_it() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\nnumbers: [1e-6, -2E3, 1.5]\n"

    assert read([Text("f.yaml", text)], "team-a").objects[0]["numbers"] == [1e-6, -2000.0, 1.5]


def test_a_status_is_left_out_but_for_the_digest_of_an_environment_version() -> None:
    version = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "ExecutionEnvironmentVersion",
        "metadata": {"name": "python-1"},
        "spec": {"environmentRef": {"name": "python"}, "number": 1, "image": "python:3"},
        "status": {"image": "python@sha256:1"},
    }

    found = documents({**model(), "status": {"observedGeneration": 7}}, version)

    assert ["status" in one for one in found.objects] == [False, True]


def test_all_valid_kinds_are_taken() -> None:
    found = documents(*map(as_applied, (make_environment(), make_model(), make_version())))

    assert found.problems == []
    assert len(found.objects) == 3


def test_what_is_not_of_ours_is_named_and_passed_over() -> None:
    found = documents({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, model())

    assert found.ignored == ["f.yaml (document 1): Secret"]
    assert len(found.objects) == 1


def test_a_ledger_is_the_operators_own_and_passed_over() -> None:
    ledger = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "ModelLedger", "metadata": {"name": "hello"}}

    assert documents(ledger).ignored == ["f.yaml: ModelLedger"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("text", "this is no Kubernetes object: it has no kind; give apiVersion, kind, metadata and spec"),
        (
            {"spec": {}},
            "this is no Kubernetes object: it has no kind; give apiVersion, kind, metadata and spec",
        ),
        (
            {**model(), "apiVersion": "modelyard.dev/v2"},
            "apiVersion is 'modelyard.dev/v2': this release knows modelyard.dev/v1alpha1; write that",
        ),
        (
            {**model(), "kind": "CustomModl"},
            "kind is 'CustomModl', which modelyard.dev/v1alpha1 does not have; did you mean CustomModel?",
        ),
        (
            {**model(), "metadata": {}},
            "CustomModel has no metadata.name; give it one, since its children are named after it",
        ),
        (
            model(targetType="Regresion"),
            "CustomModel \"hello\": spec.targetType is 'Regresion': input should be 'Binary', 'Regression', "
            "'Multiclass' or 'Anomaly'; `kubectl explain custommodels.spec.targetType` says what it takes",
        ),
        (
            model(targetNam="y"),
            'CustomModel "hello": spec.targetNam is no field; did you mean targetName? '
            "`kubectl explain custommodels.spec` lists those that are",
        ),
        (
            model(gate={"tests": [{"name": "rows", "timeoutSecond": 9}]}),
            'CustomModel "hello": spec.gate.tests[0].timeoutSecond is no field; did you mean timeoutSeconds? '
            "`kubectl explain custommodels.spec.gate.tests` lists those that are",
        ),
        (
            {key: value for key, value in model().items() if key != "spec"},
            'CustomModel "hello": spec is missing; `kubectl explain custommodels.spec` says what it is',
        ),
        (
            model(predictionThreshold=5),
            'CustomModel "hello": spec.predictionThreshold is 5: input should be less than or equal to 1; '
            "`kubectl explain custommodels.spec.predictionThreshold` says what it takes",
        ),
    ],
)
def test_what_cannot_be_meant_so_is_told_with_the_next_step(manifest: Any, said: str) -> None:
    found = documents(manifest)

    assert found.objects == []
    assert found.problems[0].startswith(f"f.yaml: {said}")


def test_an_object_that_is_given_twice_is_refused() -> None:
    found = documents(model(), model())

    assert found.problems == [
        'f.yaml (document 2): CustomModel "hello" is given twice, first by f.yaml (document 1); keep one of the two'
    ]


def test_a_long_value_is_cut() -> None:
    found = documents(model(targetType="y" * 300))

    assert f"spec.targetType is '{'y' * 58}…: input should be" in found.problems[0]


def test_text_that_is_no_yaml_is_told_with_its_line() -> None:
    found = read([Text("f.yaml", "a: [1\nb: 2\n")], "team-a")

    assert found.problems[0].startswith("f.yaml: this is neither YAML nor JSON:")
    assert "line 2" in found.problems[0]
