"""ModelTest and gate: which checks run, what a failure means, and how exactly they look."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import NEEDS_DATASET, NEEDS_DATASET_TO_FAIL, Case, Manifest
from tests.support.objects import make_test


def checks(**configuration: Any) -> Manifest:
    return make_test(configuration=configuration)


def without_data(**configuration: Any) -> Manifest:
    return make_test(dataset=None, configuration={"errorCheck": "skip", **configuration})


def tolerance(**parts: Any) -> Manifest:
    return checks(tolerance=parts)


CONFIGURATION: list[Case] = [
    ("no configuration", make_test(configuration=None), ""),
    ("checks that fail", checks(nullValueImputation="fail", sideEffects="fail"), ""),
    ("checks that warn", checks(nullValueImputation="warn", sideEffects="warn"), ""),
    (
        "checks that are skipped",
        checks(errorCheck="skip", nullValueImputation="skip", sideEffects="skip"),
        "",
    ),
    (
        "a first check that is skipped",
        checks(longRunningService="skip"),
        'spec.configuration.longRunningService: Unsupported value: "skip": supported values: "fail"',
    ),
    (
        "an errorCheck that only warns",
        checks(errorCheck="warn"),
        'spec.configuration.errorCheck: Unsupported value: "warn": supported values: "fail", "skip"',
    ),
    (
        "a null check that is ignored",
        checks(nullValueImputation="ignore"),
        'spec.configuration.nullValueImputation: Unsupported value: "ignore": supported values: "skip", "warn", "fail"',
    ),
    (
        "a side effects check that YAML reads as a boolean",
        checks(sideEffects=False),
        'spec.configuration.sideEffects: Invalid value: "boolean": spec.configuration.sideEffects in body must be of '
        'type string: "boolean", spec.configuration.sideEffects: Unsupported value: false: supported values: "skip", '
        '"warn", "fail"',
    ),
    (
        "a check that there is not",
        checks(speed="fail"),
        'ModelTest in version "v1alpha1" cannot be handled as a ModelTest: strict decoding error: unknown field '
        '"spec.configuration.speed"',
    ),
    ("checks that warn, without data", without_data(), ""),
    (
        "checks that are skipped, without data",
        without_data(nullValueImputation="skip", sideEffects="skip"),
        "",
    ),
    (
        "an errorCheck without data",
        without_data(errorCheck="fail"),
        f"spec: Invalid value: {NEEDS_DATASET}",
    ),
    (
        "a null check that may fail, without data",
        without_data(nullValueImputation="fail"),
        f"spec: Invalid value: {NEEDS_DATASET_TO_FAIL}",
    ),
    (
        "a side effects check that may fail, without data",
        without_data(sideEffects="fail"),
        f"spec: Invalid value: {NEEDS_DATASET_TO_FAIL}",
    ),
    ("no tolerance at all", tolerance(absolute=0, relative=0), ""),
    ("as much tolerance as there is", tolerance(absolute=1000000, relative=1), ""),
    (
        "a tolerance below 0",
        tolerance(absolute=-0.1),
        "spec.configuration.tolerance.absolute: Invalid value: -0.1: spec.configuration.tolerance.absolute in body "
        "should be greater than or equal to 0",
    ),
    (
        "an absolute tolerance above a million",
        tolerance(absolute=1000001),
        "spec.configuration.tolerance.absolute: Invalid value: 1000001: spec.configuration.tolerance.absolute in body "
        "should be less than or equal to 1000000",
    ),
    (
        "a relative tolerance above 1",
        tolerance(relative=1.5),
        "spec.configuration.tolerance.relative: Invalid value: 1.5: spec.configuration.tolerance.relative in body "
        "should be less than or equal to 1",
    ),
    (
        "a tolerance that is one number",
        checks(tolerance=0.1),
        'spec.configuration.tolerance: Invalid value: "number": spec.configuration.tolerance in body must be of type '
        'object: "number"',
    ),
    ("a sample of one row", checks(sampleRows=1), ""),
    ("a sample of a thousand rows", checks(sampleRows=1000), ""),
    (
        "a sample of no rows",
        checks(sampleRows=0),
        "spec.configuration.sampleRows: Invalid value: 0: spec.configuration.sampleRows in body should be greater than "
        "or equal to 1",
    ),
    (
        "a sample of 1001 rows",
        checks(sampleRows=1001),
        "spec.configuration.sampleRows: Invalid value: 1001: spec.configuration.sampleRows in body should be less than "
        "or equal to 1000",
    ),
]
