"""CustomModel: its gate, and who may call it."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import (
    NAME,
    NEEDS_DATASET,
    NEEDS_DATASET_TO_FAIL,
    NOT_JSON,
    ONE_SOURCE,
    Case,
    Manifest,
)
from tests.support.objects import make_dataset, make_gate, make_model

SELECTOR_VALUES = "values must be given for In and NotIn and must be absent for Exists and DoesNotExist"


def with_limits(successful: object, failed: object) -> Manifest:
    limits = {"successfulTestsHistoryLimit": successful, "failedTestsHistoryLimit": failed}
    return make_model(gate={**make_gate("rows"), **limits})


def caller(**selector: Any) -> Manifest:
    return make_model(callers=[{"podSelector": selector}])


def requirement(**fields: Any) -> Manifest:
    return caller(matchExpressions=[{"key": "app", **fields}])


GATES: list[Case] = [
    ("a gate of sixteen tests", make_model(gate=make_gate(*(f"t{n}" for n in range(16)))), ""),
    (
        "a gate of seventeen tests",
        make_model(gate=make_gate(*(f"t{n}" for n in range(17)))),
        "spec.gate.tests: Too many: 17: must have at most 16 items",
    ),
    (
        "a gate without tests",
        make_model(gate={"tests": []}),
        "spec.gate.tests: Invalid value: 0: spec.gate.tests in body should have at least 1 items",
    ),
    ("a gate that does not say tests", make_model(gate={}), "spec.gate.tests: Required value"),
    (
        "two tests of one name",
        make_model(gate=make_gate("rows", "rows")),
        'spec.gate.tests[1]: Duplicate value: {"name":"rows"}',
    ),
    (
        "a test with a name that no object can have",
        make_model(gate=make_gate("Rows")),
        f'spec.gate.tests[0].name: Invalid value: "Rows": {NAME}',
    ),
    (
        "a test with a name of 41 characters",
        make_model(gate=make_gate("a" * 41)),
        "spec.gate.tests[0].name: Too long: may not be more than 40 bytes",
    ),
    (
        "a test without data",
        make_model(gate={"tests": [{"name": "rows"}]}),
        f"spec.gate.tests[0]: Invalid value: {NEEDS_DATASET}",
    ),
    (
        "a test without data that skips the errorCheck",
        make_model(gate={"tests": [{"name": "up", "configuration": {"errorCheck": "skip"}}]}),
        "",
    ),
    (
        "a test that would skip longRunningService",
        make_model(gate=make_gate("rows", configuration={"longRunningService": "skip"})),
        'spec.gate.tests[0].configuration.longRunningService: Unsupported value: "skip": supported values: "fail"',
    ),
    (
        "a test that may take 9 seconds",
        make_model(gate=make_gate("rows", timeoutSeconds=9)),
        "spec.gate.tests[0].timeoutSeconds: Invalid value: 9: spec.gate.tests[0].timeoutSeconds in body should be "
        "greater than or equal to 10",
    ),
    (
        "a test that may take more than a day",
        make_model(gate=make_gate("rows", timeoutSeconds=86401)),
        "spec.gate.tests[0].timeoutSeconds: Invalid value: 86401: spec.gate.tests[0].timeoutSeconds in body should "
        "be less than or equal to 86400",
    ),
    ("a gate that keeps no ended tests", with_limits(0, 0), ""),
    ("a gate that keeps a hundred of each", with_limits(100, 100), ""),
    (
        "a limit below 0",
        with_limits(-1, 0),
        "spec.gate.successfulTestsHistoryLimit: Invalid value: -1: spec.gate.successfulTestsHistoryLimit in body "
        "should be greater than or equal to 0",
    ),
    (
        "a limit above 100",
        with_limits(0, 101),
        "spec.gate.failedTestsHistoryLimit: Invalid value: 101: spec.gate.failedTestsHistoryLimit in body should be "
        "less than or equal to 100",
    ),
    (
        "a limit in words",
        with_limits("all", 0),
        'spec.gate.successfulTestsHistoryLimit: Invalid value: "string": spec.gate.successfulTestsHistoryLimit in '
        'body must be of type integer: "string"',
    ),
    (
        "a check of a gate that may fail it, without data",
        make_model(
            gate={"tests": [{"name": "up", "configuration": {"errorCheck": "skip", "sideEffects": "fail"}}]}
        ),
        f"spec.gate.tests[0]: Invalid value: {NEEDS_DATASET_TO_FAIL}",
    ),
    (
        "a table that a gate takes for JSON",
        make_model(gate=make_gate("rows", dataset=make_dataset("x\n1\n", "rows.csv"))),
        f"spec.gate.tests[0].dataset.format: Invalid value: {NOT_JSON}",
    ),
    (
        "a test with data from two places",
        make_model(gate=make_gate("rows", dataset={**make_dataset(), "configMap": {"name": "rows"}})),
        f"spec.gate.tests[0].dataset: Invalid value: {ONE_SOURCE}",
    ),
]

CALLERS: list[Case] = [
    ("every pod of the namespace", make_model(callers=[{"podSelector": {}}]), ""),
    ("pods by label, and namespaces", make_model(callers=[{"podSelector": {}, "namespaceSelector": {}}]), ""),
    ("pods by a requirement", requirement(operator="In", values=["front"]), ""),
    (
        "nobody in particular",
        make_model(callers=[{}]),
        "spec.callers[0]: Invalid value: at least one of namespaceSelector and podSelector must be set; write "
        "podSelector: {} for every pod of the model's namespace",
    ),
    (
        "a label that no pod can have",
        caller(matchLabels={"a b": "c"}),
        "spec.callers[0].podSelector.matchLabels: Invalid value: matchLabels must hold labels, for example app: "
        "front; keys like app or example.com/team, values of at most 63 letters, digits, '-', '_' and '.'",
    ),
    (
        "a key that no pod can have",
        caller(matchExpressions=[{"key": "a/b/c", "operator": "Exists"}]),
        "spec.callers[0].podSelector.matchExpressions[0].key: Invalid value: key must be a label's key, for example "
        "app or example.com/team",
    ),
    (
        "a value that no pod can have",
        requirement(operator="In", values=["a b"]),
        "spec.callers[0].podSelector.matchExpressions[0].values: Invalid value: values must be values of a label: "
        "at most 63 letters, digits, '-', '_' and '.'",
    ),
    (
        "In without values",
        requirement(operator="In"),
        f"spec.callers[0].podSelector.matchExpressions[0].values: Invalid value: {SELECTOR_VALUES}",
    ),
    (
        "Exists with values",
        requirement(operator="Exists", values=["front"]),
        f"spec.callers[0].podSelector.matchExpressions[0].values: Invalid value: {SELECTOR_VALUES}",
    ),
    (
        "33 callers",
        make_model(callers=[{"podSelector": {}}] * 33),
        "spec.callers: Too many: 33: must have at most 32 items",
    ),
]
