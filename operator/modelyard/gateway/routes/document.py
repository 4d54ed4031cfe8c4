"""A document of routes (docs/gateway.md) -> the table. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import cast, get_args

from modelyard.gateway.route import Address, Column, Model, Table, Target, TargetType, Version
from modelyard.gateway.routes.place import Place, shown

DEFAULT_NAMESPACE = "default"
"""Of a model that names none, and of `/v2/...` in a document that names none."""

DATATYPES = (
    *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
    *("FP16", "FP32", "FP64", "BYTES"),
)
BINARY_LABELS = ("1", "0")

_DOCUMENT = ("defaultNamespace", "models")
_MODEL = ("name", "namespace", "serving", "target", "columns", "urlPrefix", "versions")
_VERSION = ("label", "target", "columns", "urlPrefix", "pods")
_TARGET = ("type", "name", "labels", "threshold")
_COLUMN = ("name", "datatype")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_ANY = re.compile(r"(?s).+")
PREFIX = re.compile(r"|(?:/[!-\"$-.0->@-~]+)+")
"""A path without a slash at the end, a query or anything that a request line cannot hold."""

_POD = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):(?P<port>\d{1,5})"
)
_HOW_NAMED = "a name of letters, digits, '.', '_' and '-', beginning with a letter or digit"
_HOW_POD = "host:port, such as 10.0.0.7:8080 or [::1]:8080"


class RoutesError(Exception):
    """The document cannot be used: `problems` has a sentence for each thing to mend."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def table_of(document: object) -> Table:
    """The routes of a document; RoutesError with all that is wrong with it."""
    problems: list[str] = []
    place = Place(document, "", problems)
    fields = place.fields(_DOCUMENT)
    if "models" not in fields and not problems:
        place.lacks("models", "list the models, or write models: []")
    models = [_model(item) for item in _items(fields, "models", "one entry a model")]
    _refuse_twice(problems, "models", (f"{model.namespace}/{model.name}" for model in models if model.name))
    default = _name(fields.get("defaultNamespace"), DEFAULT_NAMESPACE)
    if problems:
        raise RoutesError(dict.fromkeys(problems))
    return Table({(model.namespace, model.name): model for model in models}, default)


def _model(place: Place) -> Model:
    fields = place.fields(_MODEL)
    if "name" not in fields and isinstance(place.value, dict):
        place.lacks("name", "name the model")
    if "versions" not in fields and isinstance(place.value, dict):
        place.lacks("versions", 'list them, such as [{label: "1.0", pods: ["10.0.0.7:8080"]}]')
    versions = [_version(item, fields) for item in _items(fields, "versions", "one entry a version")]
    labels = [version.label for version in versions if version.label]
    _refuse_twice(place.problems, f"{place.where}.versions", labels)
    return Model(
        namespace=_name(fields.get("namespace"), DEFAULT_NAMESPACE),
        name=_name(fields.get("name"), ""),
        versions={version.label: version for version in versions},
        serving=_serving(place, fields, labels),
    )


def _serving(place: Place, fields: dict[str, Place], labels: list[str]) -> str | None:
    given = fields.get("serving")
    if given is not None:
        label = given.text(_NAME, _HOW_NAMED)
        if label and label not in labels:
            given.refuse(f"is no label of its versions; there are {', '.join(labels) or 'none'}")
        return label
    if place.has_null("serving") or not labels:
        return None
    if len(labels) > 1:
        place.lacks("serving", f"write which of {', '.join(labels)} serves, or null for none")
    return labels[0]


def _version(place: Place, of_model: dict[str, Place]) -> Version:
    """What a version does not say is as the model says."""
    fields = place.fields(_VERSION)
    if "label" not in fields and isinstance(place.value, dict):
        place.lacks("label", 'label the version, such as "1.0"')
    given = of_model | fields
    if "target" not in given:
        place.lacks("target", "write the model's target: {type, name}")
    prefix = given.get("urlPrefix")
    return Version(
        label=_name(fields.get("label"), ""),
        target=_target(given["target"]) if "target" in given else Target("Regression", ""),
        url_prefix=prefix.text(PREFIX, "a path such as /models/team/flats") if prefix else "",
        pods=tuple(_pod(item) for item in _items(fields, "pods", f"entries {_HOW_POD}")),
        columns=tuple(_column(item) for item in _items(given, "columns", "entries {name, datatype}")),
    )


def _target(place: Place) -> Target:
    fields = place.fields(_TARGET)
    for name in ("type", "name"):
        if name not in fields and isinstance(place.value, dict):
            place.lacks(name, "write it as the CustomModel has it")
    kind = _one_of(fields.get("type"), get_args(TargetType))
    if kind != "Binary" and "threshold" in fields:
        fields["threshold"].refuse("is for the type Binary only; remove it")
    return Target(
        type=cast(TargetType, kind),
        name=fields["name"].text(_ANY, "what is predicted") if "name" in fields else "",
        labels=_labels(place, fields, kind),
        threshold=fields["threshold"].number(0, 1) if "threshold" in fields else 0.5,
    )


def _labels(place: Place, fields: dict[str, Place], kind: str) -> tuple[str, ...]:
    if "labels" not in fields:
        if kind == "Multiclass":
            place.lacks("labels", "list the classes in their order")
        return BINARY_LABELS if kind == "Binary" else ()
    given = fields["labels"]
    labels = tuple(item.text(_ANY, "the name of a class") for item in given.items("the names of the classes"))
    _refuse_twice(place.problems, given.where, filter(None, labels))
    if kind in ("Regression", "Anomaly"):
        given.refuse(f"are not for the type {kind}; remove them")
    elif kind == "Binary" and len(labels) != 2:
        given.refuse("are not two; write the positive label, then the negative one")
    elif len(labels) < 2:
        given.refuse("are too few; write two at least")
    return labels


def _column(place: Place) -> Column:
    fields = place.fields(_COLUMN)
    for name in _COLUMN:
        if name not in fields and isinstance(place.value, dict):
            place.lacks(name, "write {name, datatype}, such as {name: area, datatype: FP64}")
    name = fields["name"].text(_ANY, "the name of the column") if "name" in fields else ""
    return Column(name, _one_of(fields.get("datatype"), DATATYPES))


def _pod(place: Place) -> Address:
    match = _POD.fullmatch(place.text(_POD, _HOW_POD))
    if match is None:
        return Address("", 0)
    port = int(match["port"])
    if not 1 <= port <= 65535:
        place.refuse("has a port that is not 1 to 65535; write one")
    return Address(match["six"] or match["host"], port)


def _name(place: Place | None, default: str) -> str:
    return place.text(_NAME, _HOW_NAMED) if place else default


def _one_of(place: Place | None, choices: tuple[str, ...]) -> str:
    if place is None:
        return choices[0]
    if place.value not in choices:
        place.refuse(f"is none of {', '.join(choices)}; write one of them")
        return ""
    return str(place.value)


def _items(fields: dict[str, Place], name: str, what: str) -> list[Place]:
    return fields[name].items(what) if name in fields else []


def _refuse_twice(problems: list[str], where: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            problems.append(f"{where}: {shown(name)} is there {times} times; leave one")
