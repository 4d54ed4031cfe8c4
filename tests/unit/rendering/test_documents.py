"""What is read from YAML: objects as the API server would take them, or a sentence that says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard.rendering.documents import Documents, Text, read
from tests.support.objects import as_applied, make_environment, make_model, make_version


def documents(*manifests: Any) -> Documents:
    return read([Text("f.yaml", "\n---\n".join(map(json.dumps, manifests)))], "team-a")


def model(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CustomModel",
        "metadata": {"name": "hello"},
        "spec": {"targetType": "Regression", "targetName": "y", **spec},
    }


def version(**spec: Any) -> dict[str, Any]:
    return as_applied(make_version(**spec))


def called(manifest: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}


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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("y", True),
        ("N", False),
        ("yes", True),
        ("Off", False),
        ("yEs", "yEs"),
        ("12:30", "12:30"),
        ("190:20:30.15", "190:20:30.15"),
        ("=", "="),
        ("<<", "<<"),
        ("0o14", 12),
        ("014", 12),
        ("0x1_F", 31),
        ("-0b11", -3),
        ("09", 9),
        ("1_0.5", 10.5),
        ("+.5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("e3", "e3"),
        ("_1", "_1"),
        (".", "."),
    ],
)
def test_a_bare_word_is_what_kubectl_takes_it_for(written: str, meant: object) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\nvalue: {written}\n"

    value = read([Text("f.yaml", text)], "team-a").objects[0]["value"]

    assert (type(value) is str, value) == (type(meant) is str, meant)


@pytest.mark.parametrize(("written", "shown"), [("y", "True"), ("12", "12")])
def test_what_has_to_be_quoted_to_be_a_text_is_told_so(written: str, shown: str) -> None:
    text = (
        "apiVersion: modelyard.dev/v1alpha1\nkind: CustomModel\nmetadata: {name: m}\n"
        f"spec: {{targetType: Regression, targetName: {written}}}\n"
    )

    (problem,) = read([Text("f.yaml", text)], "team-a").problems

    assert f"spec.targetName is {shown}: input should be a valid string; write it in quotes; " in problem


def test_a_merge_still_brings_the_fields_of_an_anchor() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: m}\nother: {<<: *m, more: 1}\n"

    assert read([Text("f.yaml", text)], "team-a").objects[0]["other"] == {"name": "m", "more": 1}


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


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (
            version(label="v1"),
            "CustomModelVersion \"hello-1\": spec.label is 'v1': must be major.minor, two whole numbers of at most 9 "
            "digits without leading zeros, for example '1.0'; `kubectl explain custommodelversions.spec.label` says "
            "what it takes",
        ),
        (version(label="2020"), "CustomModelVersion \"hello-1\": spec.label is '2020': must be major.minor"),
        (
            version(replicas="3"),
            "CustomModelVersion \"hello-1\": spec.replicas is '3': must be of type integer",
        ),
        (
            version(maximumMemory="1Ti"),
            "CustomModelVersion \"hello-1\": spec.maximumMemory is '1Ti': must be a quan",
        ),
        (
            version(environmentVariables=[{"name": "PORT"}]),
            "CustomModelVersion \"hello-1\": spec.environmentVariables[0].name is 'PORT': is reserved",
        ),
        (
            model(targetName=""),
            "CustomModel \"hello\": spec.targetName is '': string should have at least 1 char",
        ),
        (
            model(targetName="\0"),
            "CustomModel \"hello\": spec.targetName is '\\x00': must not hold a NUL character; remove it",
        ),
        (
            called(model(), name="Hello World"),
            "CustomModel \"Hello World\": metadata.name is 'Hello World': must be at most 52 lower-case",
        ),
        (
            called(model(), name="Hello_1"),
            "CustomModel \"Hello_1\": metadata.name is 'Hello_1': must be at most 52 lower-case letters, digits",
        ),
        (called(model(), name="a\nb"), "CustomModel \"a\\nb\": metadata.name is 'a\\nb': must be at most 52"),
        (
            called(version(), name="v" * 64),
            f'CustomModelVersion "{"v" * 58}…": metadata.name is \'{"v" * 58}…: must be at most 63 lower-case letters',
        ),
        (
            called(CONFIG_MAP, name="A"),
            "ConfigMap \"A\": metadata.name is 'A': must be a name of lower-case letters",
        ),
        (called(CONFIG_MAP, name="a" * 254), f'ConfigMap "{"a" * 58}…": metadata.name is'),
        ({**CONFIG_MAP, "data": ["a"]}, "ConfigMap \"m\": data is ['a']: input should be a valid dictionary"),
        ({**CONFIG_MAP, "data": {"a": 1}}, 'ConfigMap "m": data.a is 1: input should be a valid string'),
        (
            called(model(), namespace=[]),
            'CustomModel "hello": metadata.namespace is []: input should be a valid str',
        ),
        (
            called(model(), namespace=""),
            "CustomModel \"hello\": metadata.namespace is '': string should have at least",
        ),
        (
            called(model(), namespace="Team A"),
            "CustomModel \"hello\": metadata.namespace is 'Team A': must be a name of lower-case letters, digits",
        ),
        *[
            (
                called(model(), creationTimestamp=time),
                f'CustomModel "hello": metadata.creationTimestamp is {time!r}: ',
            )
            for time in (
                5,
                "2020",
                "now",
                "2024-01-01T00:00:00",
                "2024-13-01T00:00:00Z",
                "0001-01-01T00:00:00+14:00",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59Z",
            )
        ],
    ],
)
def test_what_the_api_server_would_refuse_is_refused_in_one_line(manifest: Any, said: str) -> None:
    found = documents(manifest)

    assert found.objects == []
    assert found.problems[0].startswith(f"f.yaml: {said}")
    assert len(found.problems) == 1
    assert found.problems[0].isprintable()


def test_a_value_that_breaks_several_rules_is_told_once() -> None:
    found = documents(version(label=5, replicas="x", requiresHa=7))

    assert [problem.split()[3] for problem in found.problems] == [
        "spec.label",
        "spec.replicas",
        "spec.requiresHa",
    ]


def test_a_letter_that_json_writes_as_a_pair_is_one_letter() -> None:
    text = (
        r'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "\ud83d\ude00"}}'
    )

    assert read([Text("f.json", text)], "team-a").objects[0]["data"] == {"a": "\U0001f600"}


def test_what_is_null_counts_as_left_out() -> None:
    found = documents({**model(), "status": None}, {**CONFIG_MAP, "data": None})

    assert found.problems == []
    assert ["data" in one for one in found.objects] == [False, False]


def test_the_status_that_is_left_out_is_not_judged() -> None:
    assert documents({**model(), "status": {"conditions": 5}}).problems == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!!int x", "with base 10: 'x'; mend that value, or quote it as text"),
        ("!!timestamp x", "a value is not what its !!tag says; leave the tag out"),
        ("!!bool x", "a value is not what its !!tag says; leave the tag out"),
        ("a: {[b]: c}", "line 1, column 5: a: {[b]: c} ^; mend it there"),
        ("\0", "position 0; mend it there"),
        ("[" * 1000, "it is nested too deeply; write it flatter"),
        ('{"a": "b', "; mend it there"),
        ('"\\ud800"', "; mend it there"),
        ("!!float x", "string to float: 'x'; mend that value, or quote it as text"),
        ("!x y", "line 1, column 1: !x y ^; mend it there"),
        (f"a: {'1' * 5000}", "; mend that value, or quote it as text"),
    ],
)
def test_text_that_yaml_stumbles_over_is_told_with_the_next_step(text: str, said: str) -> None:
    found = read([Text("f.yaml", text)], "team-a")

    assert len(found.problems) == 1
    assert found.problems[0].startswith("f.yaml: this is ne")
    assert found.problems[0].endswith(said)
    assert found.problems[0].isprintable()


@pytest.mark.parametrize("items", [5, "x", {"kind": "x"}])
def test_items_that_are_no_list_are_no_objects(items: Any) -> None:
    found = documents({"apiVersion": "v1", "kind": "List", "items": items})

    assert (found.objects, len(found.problems) + len(found.ignored)) == ([], 1)


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
