"""CustomModel: what it predicts and its own fields."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import NO_NUL, Case, Manifest
from tests.support.objects import make_model


def binary(**overrides: Any) -> Manifest:
    return make_model(targetType="Binary", **overrides)


MODELS: list[Case] = [
    ("a regression model", make_model(), ""),
    ("an anomaly model", make_model(targetType="Anomaly"), ""),
    (
        "an unknown target type",
        make_model(targetType="Unstructured"),
        'spec.targetType: Unsupported value: "Unstructured": supported values: "Binary", "Regression", "Multiclass", '
        '"Anomaly"',
    ),
    ("no target type", make_model(targetType=None), "spec.targetType: Required value"),
    ("no target name", make_model(targetName=None), "spec.targetName: Required value"),
    (
        "an empty target name",
        make_model(targetName=""),
        'spec.targetName: Invalid value: "": spec.targetName in body should be at least 1 chars long',
    ),
    ("a target name of 500 characters", make_model(targetName="é" * 500), ""),
    (
        "a target name of 501 characters",
        make_model(targetName="é" * 501),
        "spec.targetName: Too long: may not be more than 500 bytes",
    ),
    (
        "a target name that no process can be told",
        make_model(targetName="y\0"),
        f'spec.targetName: Invalid value: "y\\x00": {NO_NUL}',
    ),
    ("a threshold of 1", binary(predictionThreshold=1), ""),
    ("a threshold of 0", binary(predictionThreshold=0), ""),
    (
        "a threshold above 1",
        binary(predictionThreshold=1.01),
        "spec.predictionThreshold: Invalid value: 1.01: spec.predictionThreshold in body should be less than or "
        "equal to 1",
    ),
    (
        "a threshold below 0",
        binary(predictionThreshold=-0.1),
        "spec.predictionThreshold: Invalid value: -0.1: spec.predictionThreshold in body should be greater than or "
        "equal to 0",
    ),
    (
        "a description of 10001 characters",
        make_model(description="x" * 10001),
        "spec.description: Too long: may not be more than 10000 bytes",
    ),
    (
        "a language of 501 characters",
        make_model(language="x" * 501),
        "spec.language: Too long: may not be more than 500 bytes",
    ),
    (
        "a field that does not exist",
        make_model(replicas=3),
        'CustomModel in version "v1alpha1" cannot be handled as a CustomModel: strict decoding error: unknown field '
        '"spec.replicas"',
    ),
]
