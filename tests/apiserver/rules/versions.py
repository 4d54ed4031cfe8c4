"""CustomModelVersion: labels, references, replicas and resources."""

from __future__ import annotations

from tests.apiserver.rules.words import MEMORY, NAME, Case
from tests.support.objects import make_version

VERSION_LABEL = (
    "must be major.minor, two whole numbers of at most 9 digits without leading zeros, for example '1.0'"
)
CPU = "must be a quantity from 1m to 64, for example 250m"

VERSIONS: list[Case] = [
    ("a version", make_version(), ""),
    ("a version without a label", make_version(label=None), ""),
    ("the label 0.0", make_version(label="0.0"), ""),
    (
        "a label of one number",
        make_version(label="1"),
        f'spec.label: Invalid value: "1": {VERSION_LABEL}',
    ),
    (
        "a label of three numbers",
        make_version(label="1.0.0"),
        f'spec.label: Invalid value: "1.0.0": {VERSION_LABEL}',
    ),
    (
        "a label with a leading zero",
        make_version(label="01.0"),
        f'spec.label: Invalid value: "01.0": {VERSION_LABEL}',
    ),
    (
        "a label of ten digits",
        make_version(label="1234567890.0"),
        f'spec.label: Invalid value: "1234567890.0": {VERSION_LABEL}',
    ),
    (
        "a label without quotes",
        make_version(label=1.0),
        'spec.label: Invalid value: "number": spec.label in body must be of type string: "number"',
    ),
    ("eight replicas", make_version(replicas=8), ""),
    (
        "no replicas",
        make_version(replicas=0),
        "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
    ),
    (
        "nine replicas",
        make_version(replicas=9),
        "spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 8",
    ),
    (
        "requiresHa as text",
        make_version(requiresHa="yes"),
        'spec.requiresHa: Invalid value: "string": spec.requiresHa in body must be of type boolean: "string"',
    ),
    ("no model", make_version(modelRef=None), "spec.modelRef: Required value"),
    (
        "a model of another namespace",
        make_version(modelRef={"name": "other/hello"}),
        f'spec.modelRef.name: Invalid value: "other/hello": {NAME}',
    ),
    ("an environment's first version", make_version(environmentRef={"name": "python", "version": 1}), ""),
    (
        "an environment's version 0",
        make_version(environmentRef={"name": "python", "version": 0}),
        "spec.environmentRef.version: Invalid value: 0: spec.environmentRef.version in body should be greater than "
        "or equal to 1",
    ),
    (
        "an environment without a name",
        make_version(environmentRef={}),
        "spec.environmentRef.name: Required value",
    ),
    (
        "an egress policy that does not exist yet",
        make_version(networkEgressPolicy="API_ACCESS"),
        'spec.networkEgressPolicy: Unsupported value: "API_ACCESS": supported values: "NONE", "PUBLIC"',
    ),
    (
        "4 seconds to start",
        make_version(startup={"timeoutSeconds": 4}),
        "spec.startup.timeoutSeconds: Invalid value: 4: spec.startup.timeoutSeconds in body should be greater than "
        "or equal to 5",
    ),
    (
        "more than an hour to start",
        make_version(startup={"timeoutSeconds": 3601}),
        "spec.startup.timeoutSeconds: Invalid value: 3601: spec.startup.timeoutSeconds in body should be less than "
        "or equal to 3600",
    ),
    (
        "a description of 10001 characters",
        make_version(description="x" * 10001),
        "spec.description: Too long: may not be more than 10000 bytes",
    ),
]

RESOURCES: list[Case] = [
    ("128Mi", make_version(maximumMemory="128Mi"), ""),
    ("14Gi", make_version(maximumMemory="14Gi"), ""),
    ("bytes as a number", make_version(maximumMemory=1073741824), ""),
    (
        "less than 128Mi",
        make_version(maximumMemory="127Mi"),
        f'spec.maximumMemory: Invalid value: "127Mi": {MEMORY}',
    ),
    (
        "more than 14Gi",
        make_version(maximumMemory="14.1Gi"),
        f'spec.maximumMemory: Invalid value: "14.1Gi": {MEMORY}',
    ),
    (
        "no quantity at all",
        make_version(maximumMemory="1 GB"),
        f'spec.maximumMemory: Invalid value: "1 GB": {MEMORY}',
    ),
    ("as much desired as allowed", make_version(desiredMemory="1024Mi"), ""),
    (
        "more desired than allowed",
        make_version(desiredMemory="1025Mi"),
        "spec.desiredMemory: Invalid value: desiredMemory must not be more than maximumMemory; lower it, or raise "
        "maximumMemory",
    ),
    (
        "less desired than 128Mi",
        make_version(desiredMemory="1Mi"),
        f'spec.desiredMemory: Invalid value: "1Mi": {MEMORY}',
    ),
    ("one core as a number", make_version(cpu=1), ""),
    ("half a core", make_version(cpu="0.5"), ""),
    ("no cpu", make_version(cpu="0"), f'spec.cpu: Invalid value: "0": {CPU}'),
    ("negative cpu", make_version(cpu="-1"), f'spec.cpu: Invalid value: "-1": {CPU}'),
    ("more than 64 cores", make_version(cpu="65"), f'spec.cpu: Invalid value: "65": {CPU}'),
]
