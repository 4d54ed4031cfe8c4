"""CustomModel: the labels of its classes, which pods are told."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import NO_NUL, Case, Manifest
from tests.support.objects import make_model

NOT_MULTICLASS = "spec.classLabels: Invalid value: classLabels is for targetType Multiclass only; remove it"


def binary(**overrides: Any) -> Manifest:
    return make_model(targetType="Binary", **overrides)


def multiclass(*labels: object, **overrides: Any) -> Manifest:
    return make_model(targetType="Multiclass", classLabels=list(labels), **overrides)


LABELS: list[Case] = [
    ("a binary model with default labels", binary(), ""),
    ("a binary model with labels", binary(positiveClassLabel="yes", negativeClassLabel="no"), ""),
    (
        "labels for a regression model",
        make_model(positiveClassLabel="yes", negativeClassLabel="no"),
        "[spec.positiveClassLabel: Invalid value: positiveClassLabel is for targetType Binary only; remove it, "
        "spec.negativeClassLabel: Invalid value: negativeClassLabel is for targetType Binary only; remove it]",
    ),
    (
        "one label without the other",
        binary(positiveClassLabel="yes"),
        "spec: Invalid value: positiveClassLabel and negativeClassLabel belong together; set both, or neither for "
        "the labels 1 and 0",
    ),
    (
        "two labels that are the same",
        binary(positiveClassLabel="yes", negativeClassLabel="yes"),
        "spec.negativeClassLabel: Invalid value: negativeClassLabel must differ from positiveClassLabel; rename one "
        "of them",
    ),
    (
        "an empty label",
        binary(positiveClassLabel="", negativeClassLabel="no"),
        'spec.positiveClassLabel: Invalid value: "": spec.positiveClassLabel in body should be at least 1 chars long',
    ),
    (
        "a label that YAML reads as a boolean",
        binary(positiveClassLabel=True, negativeClassLabel="no"),
        'spec.positiveClassLabel: Invalid value: "boolean": spec.positiveClassLabel in body must be of type string: '
        '"boolean"',
    ),
    (
        "labels for an anomaly model",
        make_model(targetType="Anomaly", positiveClassLabel="yes", negativeClassLabel="no"),
        "[spec.positiveClassLabel: Invalid value: positiveClassLabel is for targetType Binary only; remove it, "
        "spec.negativeClassLabel: Invalid value: negativeClassLabel is for targetType Binary only; remove it]",
    ),
    ("a model of three classes", multiclass("setosa", "versicolor", "virginica"), ""),
    ("a model of a hundred classes", multiclass(*(f"c{n}" for n in range(100))), ""),
    ("classes in any script", multiclass("katze", "猫", "собака", 'it\'s a "dog"'), ""),
    (
        "a model of 101 classes",
        multiclass(*(f"c{n}" for n in range(101))),
        "spec.classLabels: Too many: 101: must have at most 100 items",
    ),
    (
        "a model of one class",
        multiclass("only"),
        "spec.classLabels: Invalid value: 1: spec.classLabels in body should have at least 2 items",
    ),
    (
        "a multiclass model that names no class",
        make_model(targetType="Multiclass"),
        "spec.classLabels: Invalid value: classLabels is required for targetType Multiclass; name the classes that "
        "the model predicts",
    ),
    (
        "one class twice",
        multiclass("a", "b", "a"),
        'spec.classLabels[2]: Duplicate value: "a"',
    ),
    (
        "a class without a name",
        multiclass("a", ""),
        'spec.classLabels[1]: Invalid value: "": spec.classLabels[1] in body should be at least 1 chars long',
    ),
    (
        "a class with a name of 501 characters",
        multiclass("a", "x" * 501),
        "spec.classLabels[1]: Too long: may not be more than 500 bytes",
    ),
    (
        "a class that no process can be told",
        multiclass("a", "b\0"),
        f'spec.classLabels[1]: Invalid value: "b\\x00": {NO_NUL}',
    ),
    (
        "classes that YAML reads as booleans",
        multiclass("maybe", False),
        'spec.classLabels[1]: Invalid value: "boolean": spec.classLabels[1] in body must be of type string: "boolean"',
    ),
    (
        "classes that YAML reads as numbers",
        multiclass(0, "1"),
        'spec.classLabels[0]: Invalid value: "integer": spec.classLabels[0] in body must be of type string: "integer"',
    ),
    ("classes of a binary model", binary(classLabels=["yes", "no"]), NOT_MULTICLASS),
    ("classes of a regression model", make_model(classLabels=["a", "b"]), NOT_MULTICLASS),
    ("classes of an anomaly model", make_model(targetType="Anomaly", classLabels=["a", "b"]), NOT_MULTICLASS),
    (
        "the labels of a binary model beside classes",
        multiclass("a", "b", positiveClassLabel="a", negativeClassLabel="b"),
        "[spec.positiveClassLabel: Invalid value: positiveClassLabel is for targetType Binary only; remove it, "
        "spec.negativeClassLabel: Invalid value: negativeClassLabel is for targetType Binary only; remove it]",
    ),
]
