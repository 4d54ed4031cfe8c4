"""What a document of routes says, and what is said of one that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.gateway.route import Address, Column, Model, Target, Version
from modelyard.gateway.routes.document import RoutesError, table_of

TARGET = {"type": "Regression", "name": "price"}


def model(**fields: Any) -> dict[str, Any]:
    """A model that will do, with these fields."""
    version = {"label": "1.0", "pods": ["10.0.0.7:8080"]}
    return {"name": "flats", "target": TARGET, "versions": [version], **fields}


def problems(document: object) -> tuple[str, ...]:
    """What is wrong with a document."""
    with pytest.raises(RoutesError) as caught:
        table_of(document)
    return caught.value.problems


def problem(**fields: Any) -> str:
    """What is wrong with a model that has these fields."""
    (found,) = problems({"models": [model(**fields)]})
    return found


def test_the_least_that_a_model_needs() -> None:
    table = table_of({"models": [model()]})
    pods = (Address("10.0.0.7", 8080),)
    version = Version("1.0", Target("Regression", "price"), "", pods)
    assert table.models == {("default", "flats"): Model("default", "flats", {"1.0": version}, "1.0")}
    assert table.default_namespace == "default"


def test_all_that_a_document_can_say() -> None:
    binary = {"type": "Binary", "name": "sold", "labels": ["yes", "no"], "threshold": 0.25}
    versions = [
        {"label": "1.0", "target": TARGET, "urlPrefix": "/old", "pods": []},
        {
            "label": "1.1",
            "columns": [{"name": "Fläche", "datatype": "FP64"}],
            "pods": ["[::1]:80", "model-b.team.svc:8080"],
        },
    ]
    said = model(namespace="team", serving="1.1", target=binary, urlPrefix="/models/x", versions=versions)
    table = table_of({"defaultNamespace": "team", "models": [said]})
    assert table.default_namespace == "team"
    found = table.models["team", "flats"]
    assert found.serving == "1.1"
    assert found.versions["1.0"] == Version("1.0", Target("Regression", "price"), "/old")
    assert found.versions["1.1"] == Version(
        "1.1",
        Target("Binary", "sold", ("yes", "no"), 0.25),
        "/models/x",
        (Address("::1", 80), Address("model-b.team.svc", 8080)),
        (Column("Fläche", "FP64"),),
    )


def test_a_binary_model_without_labels_has_those_of_a_custom_model() -> None:
    table = table_of({"models": [model(target={"type": "Binary", "name": "sold"})]})
    assert table.models["default", "flats"].versions["1.0"].target.labels == ("1", "0")


def test_a_model_may_have_versions_of_which_none_serves() -> None:
    assert table_of({"models": [model(serving=None)]}).models["default", "flats"].serving is None


def test_a_document_may_have_no_models() -> None:
    assert table_of({"models": []}).models == {}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "null is no mapping; write fields such as defaultNamespace, models"),
        ({}, "models is missing; list the models, or write models: []"),
        ({"model": []}, "model is no field; did you mean models?"),
        ({"models": {"flats": {}}}, "models: {'flats': {}} is no list; write one entry a model"),
        ({"models": ["flats"]}, "models[0]: 'flats' is no mapping; write fields such as name, namespace,"),
        ({"models": [model(), model()]}, "models: 'default/flats' is there 2 times; leave one"),
        ({"models": [], "defaultNamespace": 1}, "defaultNamespace: 1 is no text; write a name of letters,"),
    ],
)
def test_a_document_that_cannot_be_used(document: object, said: str) -> None:
    assert problems(document)[0].startswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": None}, "models[0].name is missing; name the model"),
        ({"name": "a/b"}, "models[0].name: 'a/b' will not do; write a name of letters, digits,"),
        ({"serving": 1.0}, "models[0].serving: 1.0 is no text; write a name of letters"),
        ({"serving": "2.0"}, "models[0].serving: '2.0' is no label of its versions; there are 1.0"),
        ({"urlPrefix": "/models/"}, "models[0].urlPrefix: '/models/' will not do; write a path such as"),
        ({"urlPrefix": "a b"}, "models[0].urlPrefix: 'a b' will not do"),
        ({"target": None}, "models[0].versions[0].target is missing; write the model's target: {type, name}"),
        ({"target": {"type": "Regression"}}, "models[0].target.name is missing"),
        (
            {"target": TARGET | {"type": "Ranking"}},
            "models[0].target.type: 'Ranking' is none of Regression, Binary, Multiclass, Anomaly; write one of",
        ),
        (
            {"target": TARGET | {"threshold": 0.5}},
            "models[0].target.threshold: 0.5 is for the type Binary only; remove it",
        ),
        (
            {"target": TARGET | {"type": "Binary", "threshold": 1.5}},
            "models[0].target.threshold: 1.5 is no number from 0 to 1; write one",
        ),
        (
            {"target": TARGET | {"type": "Binary", "labels": ["yes"]}},
            "models[0].target.labels: ['yes'] are not two; write the positive label, then the negative one",
        ),
        (
            {"target": TARGET | {"type": "Binary", "labels": [True, "no"]}},
            "models[0].target.labels[0]: true is no text; write the name of a class, in quotes",
        ),
        (
            {"target": TARGET | {"type": "Multiclass", "labels": ["a", "a"]}},
            "models[0].target.labels: 'a' is there 2 times; leave one",
        ),
        (
            {"target": TARGET | {"type": "Multiclass"}},
            "models[0].target.labels is missing; list the classes in their order",
        ),
        (
            {"target": TARGET | {"labels": ["a", "b"]}},
            "models[0].target.labels: ['a', 'b'] are not for the type Regression; remove them",
        ),
        (
            {"columns": [{"name": "area", "datatype": "float"}]},
            "models[0].columns[0].datatype: 'float' is none of BOOL, UINT8,",
        ),
        ({"columns": [{"name": "area"}]}, "models[0].columns[0].datatype is missing; write {name, datatype}"),
        ({"versions": None}, "models[0].versions is missing; list them, such as"),
    ],
)
def test_a_model_that_cannot_be_used(fields: dict[str, Any], said: str) -> None:
    assert problem(**fields).startswith(said)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ({"label": 1.0}, "label: 1.0 is no text; write a name of letters, digits, '.', '_' and '-',"),
        ({"pods": []}, "label is missing; label the version"),
        ({"label": "1.0", "pods": ["10.0.0.7"]}, "pods[0]: '10.0.0.7' will not do; write host:port, such as"),
        ({"label": "1.0", "pods": ["::1:80"]}, "pods[0]: '::1:80' will not do; write host:port"),
        ({"label": "1.0", "pods": ["a:70000"]}, "pods[0]: 'a:70000' has a port that is not 1 to 65535"),
        ({"label": "1.0", "pods": "a:80"}, "pods: 'a:80' is no list; write entries host:port"),
        ({"label": "1.0", "pod": []}, "pod is no field; did you mean pods?"),
    ],
)
def test_a_version_that_cannot_be_used(version: dict[str, Any], said: str) -> None:
    assert problem(versions=[version]).startswith(f"models[0].versions[0].{said}")


def test_of_several_versions_it_is_said_which_one_serves() -> None:
    found = problem(versions=[{"label": "1.0"}, {"label": "2.0"}])
    assert found == "models[0].serving is missing; write which of 1.0, 2.0 serves, or null for none"


def test_a_label_is_there_once() -> None:
    found = problem(versions=[{"label": "1.0"}, {"label": "1.0"}], serving="1.0")
    assert found == "models[0].versions: '1.0' is there 2 times; leave one"


def test_all_that_is_wrong_is_said_at_once_and_once() -> None:
    versions = [{"label": "1.0", "pods": ["a"]}, {"label": 2}]
    found = problems({"models": [model(name="a b", target={"type": "x", "name": "y"}, versions=versions)]})
    assert [said.split(":")[0] for said in found] == [
        "models[0].target.type",
        "models[0].versions[0].pods[0]",
        "models[0].versions[1].label",
        "models[0].name",
    ]


def test_a_message_quotes_the_beginning_of_what_is_long() -> None:
    assert len(problem(name="/" * 10_000)) < 250
