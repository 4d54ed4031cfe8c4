"""ModelTest: what it tests, what it overrides, and how it ends."""

from __future__ import annotations

from tests.apiserver.rules.words import MEMORY, NAME, Case
from tests.support.objects import make_test

A_YEAR = 31536000

TESTS: list[Case] = [
    ("a test", make_test(), ""),
    ("no version", make_test(versionRef={}), "spec.versionRef.name: Required value"),
    (
        "a version of another namespace",
        make_test(versionRef={"name": "other/hello-1"}),
        f'spec.versionRef.name: Invalid value: "other/hello-1": {NAME}',
    ),
    ("a day", make_test(timeoutSeconds=86400), ""),
    (
        "5 seconds",
        make_test(timeoutSeconds=5),
        "spec.timeoutSeconds: Invalid value: 5: spec.timeoutSeconds in body should be greater than or equal to 10",
    ),
    (
        "more than a day",
        make_test(timeoutSeconds=86401),
        "spec.timeoutSeconds: Invalid value: 86401: spec.timeoutSeconds in body should be less than or equal to 86400",
    ),
    (
        "everything overridden",
        make_test(maximumMemory="14Gi", replicas=8, requiresHa=True, networkEgressPolicy="PUBLIC"),
        "",
    ),
    ("spread and egress taken back", make_test(requiresHa=False, networkEgressPolicy="NONE"), ""),
    (
        "less memory than 128Mi",
        make_test(maximumMemory="64Mi"),
        f'spec.maximumMemory: Invalid value: "64Mi": {MEMORY}',
    ),
    (
        "more memory than 14Gi",
        make_test(maximumMemory="15Gi"),
        f'spec.maximumMemory: Invalid value: "15Gi": {MEMORY}',
    ),
    (
        "no replicas",
        make_test(replicas=0),
        "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
    ),
    (
        "nine replicas",
        make_test(replicas=9),
        "spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 8",
    ),
    (
        "requiresHa as text",
        make_test(requiresHa="yes"),
        'spec.requiresHa: Invalid value: "string": spec.requiresHa in body must be of type boolean: "string"',
    ),
    (
        "an egress policy that does not exist yet",
        make_test(networkEgressPolicy="API_ACCESS"),
        'spec.networkEgressPolicy: Unsupported value: "API_ACCESS": supported values: "NONE", "PUBLIC"',
    ),
    (
        "a field of the version that a test does not override",
        make_test(cpu="1"),
        'ModelTest in version "v1alpha1" cannot be handled as a ModelTest: strict decoding error: unknown field '
        '"spec.cpu"',
    ),
    ("a test that is canceled before it is made", make_test(cancel=True), ""),
    (
        "a cancel in words",
        make_test(cancel="now"),
        'spec.cancel: Invalid value: "string": spec.cancel in body must be of type boolean: "string"',
    ),
    ("a test that goes as soon as it has ended", make_test(ttlSecondsAfterFinished=0), ""),
    ("a test that stays for a year", make_test(ttlSecondsAfterFinished=A_YEAR), ""),
    (
        "a test that goes before it has ended",
        make_test(ttlSecondsAfterFinished=-1),
        "spec.ttlSecondsAfterFinished: Invalid value: -1: spec.ttlSecondsAfterFinished in body should be greater than "
        "or equal to 0",
    ),
    (
        "a test that stays for more than a year",
        make_test(ttlSecondsAfterFinished=A_YEAR + 1),
        "spec.ttlSecondsAfterFinished: Invalid value: 31536001: spec.ttlSecondsAfterFinished in body should be less "
        "than or equal to 31536000",
    ),
    (
        "a time to stay with a unit",
        make_test(ttlSecondsAfterFinished="1h"),
        'spec.ttlSecondsAfterFinished: Invalid value: "string": spec.ttlSecondsAfterFinished in body must be of type '
        'integer: "string"',
    ),
]
