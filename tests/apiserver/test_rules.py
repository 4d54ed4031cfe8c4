"""Good and bad objects against a real API server, each bad one with the sentence that its author reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.said import create, refusal
from tests.apiserver.server import ApiServer
from tests.support.objects import (
    make_dataset,
    make_environment,
    make_environment_version,
    make_gate,
    make_ledger,
    make_model,
    make_test,
    make_version,
)

Manifest = dict[str, Any]

LABEL_NAME = (
    "metadata.name: Invalid value: must be at most 63 lower-case letters, digits and '-', starting and ending with a "
    "letter or digit; choose such a name"
)
SERVICE_NAME = (
    "metadata.name: Invalid value: must be at most 52 lower-case letters, digits and '-', starting with a letter and "
    "ending with a letter or digit, because the model's Service gets this name; choose such a name"
)
NAME = (
    "must be a name of lower-case letters, digits and '-', starting and ending with a letter or digit, for example "
    "my-model"
)
DOTTED_NAME = (
    "must be a name of lower-case letters, digits, '-' and '.', starting and ending with a letter or digit, for "
    "example my-config"
)
RELATIVE = "must be a relative path such as lib/model.py: no '/' at its start or end, none doubled"
NO_DOTS = (
    "must not have a part that is '.' or starts with '..'; write it from the root of the model's directory"
)
PATH_TEXT = "must be at most 255 bytes of UTF-8 without control characters; rename the file"
VERSION_LABEL = (
    "must be major.minor, two whole numbers of at most 9 digits without leading zeros, for example '1.0'"
)
RESERVED = (
    "is reserved: the platform sets CLASS_LABELS, CODE_DIR, HOME, MODEL_NAME, MODEL_VERSION, NEGATIVE_CLASS_LABEL, "
    "PORT, POSITIVE_CLASS_LABEL, PREDICTION_THRESHOLD, TARGET_NAME, TARGET_TYPE, URL_PREFIX and everything that "
    "starts with LD_ or KUBERNETES_; choose another name"
)
VARIABLE = "must be letters, digits and '_', not starting with a digit, for example LOG_LEVEL"
MEMORY = "must be a quantity from 128Mi to 14Gi, for example 512Mi"
CPU = "must be a quantity from 1m to 64, for example 250m"
IMAGE = (
    "must be an image reference such as registry.example/team/image:tag, without blanks and without https://"
)
ONE_SOURCE = "exactly one of inline and configMap must be set; remove one, or add the one that is missing"
NEEDS_DATASET = (
    "dataset is required for the errorCheck; add a dataset, or set configuration.errorCheck to skip"
)
SELECTOR_VALUES = "values must be given for In and NotIn and must be absent for Exists and DoesNotExist"
NO_NUL = "must not hold a NUL character; remove it"

Case = tuple[str, Manifest, str]


def binary(**overrides: Any) -> Manifest:
    return make_model(targetType="Binary", **overrides)


def caller(**selector: Any) -> Manifest:
    return make_model(callers=[{"podSelector": selector}])


def requirement(**fields: Any) -> Manifest:
    return caller(matchExpressions=[{"key": "app", **fields}])


def file(path: str, content: str = "x") -> Manifest:
    return {"path": path, "content": content}


def with_files(*files: Manifest) -> Manifest:
    return make_version(source={"inline": list(files)})


def variables(*names: str, **fields: Any) -> Manifest:
    return make_version(environmentVariables=[{"name": name, **fields} for name in names])


NAMES: list[Case] = [
    ("a model's name may have 52 characters", make_model("a" * 52), ""),
    ("a model's name has at most 52 characters", make_model("a" * 53), SERVICE_NAME),
    ("a model's name starts with a letter", make_model("1st"), SERVICE_NAME),
    ("a model's name has no dot", make_model("a.b"), SERVICE_NAME),
    ("a ledger is named like its model", make_ledger("a" * 53), SERVICE_NAME),
    ("a version's name may have 63 characters", make_version("a" * 63), ""),
    ("a version's name has at most 63 characters", make_version("a" * 64), LABEL_NAME),
    ("a version's name has no dot", make_version("hello-1.0"), LABEL_NAME),
    ("an environment's name may start with a digit", make_environment("3-11"), ""),
    ("an environment's name has no dot", make_environment("python-3.11"), LABEL_NAME),
    ("a test's name has at most 63 characters", make_test("a" * 64), LABEL_NAME),
]

MODELS: list[Case] = [
    ("a regression model", make_model(), ""),
    ("a binary model with default labels", binary(), ""),
    ("a binary model with labels", binary(positiveClassLabel="yes", negativeClassLabel="no"), ""),
    (
        "an unknown target type",
        make_model(targetType="Multiclass"),
        'spec.targetType: Unsupported value: "Multiclass": supported values: "Binary", "Regression"',
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

SOURCES: list[Case] = [
    ("a ConfigMap", make_version(source={"configMap": {"name": "my.code"}}), ""),
    ("a hundred files", with_files(*(file(f"lib/{n}.py") for n in range(100))), ""),
    ("a name with a blank", with_files(file("my model.py")), ""),
    ("no source", make_version(source=None), "spec.source: Required value"),
    ("an empty source", make_version(source={}), f"spec.source: Invalid value: {ONE_SOURCE}"),
    (
        "two sources",
        make_version(source={"inline": [file("a")], "configMap": {"name": "code"}}),
        f"spec.source: Invalid value: {ONE_SOURCE}",
    ),
    (
        "no files",
        with_files(),
        "spec.source.inline: Invalid value: 0: spec.source.inline in body should have at least 1 items",
    ),
    (
        "101 files",
        with_files(*(file(f"{n}.py") for n in range(101))),
        "spec.source.inline: Too many: 101: must have at most 100 items",
    ),
    (
        "two files of one path",
        with_files(file("a"), file("a")),
        'spec.source.inline[1]: Duplicate value: {"path":"a"}',
    ),
    (
        "a file that is a directory too",
        with_files(file("a"), file("a/b")),
        "spec.source.inline: Invalid value: inline has a path that is both a file and a directory; rename one of them",
    ),
    (
        "a ConfigMap that no one can make",
        make_version(source={"configMap": {"name": "../x"}}),
        f'spec.source.configMap.name: Invalid value: "../x": {DOTTED_NAME}',
    ),
    (
        "an absolute path",
        with_files(file("/etc/passwd")),
        f'spec.source.inline[0].path: Invalid value: "/etc/passwd": {RELATIVE}',
    ),
    ("a directory", with_files(file("a/")), f'spec.source.inline[0].path: Invalid value: "a/": {RELATIVE}'),
    (
        "a doubled slash",
        with_files(file("a//b")),
        f'spec.source.inline[0].path: Invalid value: "a//b": {RELATIVE}',
    ),
    (
        "a way out of the directory",
        with_files(file("a/../../b")),
        f'spec.source.inline[0].path: Invalid value: "a/../../b": {NO_DOTS}',
    ),
    ("a dot", with_files(file("./a")), f'spec.source.inline[0].path: Invalid value: "./a": {NO_DOTS}'),
    (
        "a name that volumes reserve",
        with_files(file("..data")),
        f'spec.source.inline[0].path: Invalid value: "..data": {NO_DOTS}',
    ),
    (
        "a control character",
        with_files(file("a\nb")),
        f'spec.source.inline[0].path: Invalid value: "a\\nb": {PATH_TEXT}',
    ),
    (
        "a path of 256 bytes",
        with_files(file("é" * 128)),
        f'spec.source.inline[0].path: Invalid value: "{"é" * 128}": {PATH_TEXT}',
    ),
    (
        "an empty path",
        with_files(file("")),
        'spec.source.inline[0].path: Invalid value: "": spec.source.inline[0].path in body should be at least 1 chars '
        "long",
    ),
    (
        "a content that starts with NUL",
        with_files(file("a", "\0sha256:0")),
        "spec.source.inline[0].content: Invalid value: content must not start with a NUL character: inline files are "
        "text; put a binary file into the binaryData of a ConfigMap and name it in configMap",
    ),
]

VARIABLES: list[Case] = [
    ("a hundred variables", variables(*(f"A{n}" for n in range(100)), value="x"), ""),
    ("a variable that only looks reserved", variables("LDAP_URL", "PORTS", value="x"), ""),
    (
        "101 variables",
        variables(*(f"A{n}" for n in range(101))),
        "spec.environmentVariables: Too many: 101: must have at most 100 items",
    ),
    (
        "two variables of one name",
        variables("A", "A"),
        'spec.environmentVariables[1]: Duplicate value: {"name":"A"}',
    ),
    (
        "a variable that the platform sets",
        variables("URL_PREFIX"),
        f'spec.environmentVariables[0].name: Invalid value: "URL_PREFIX": {RESERVED}',
    ),
    (
        "a variable that the loader reads",
        variables("LD_PRELOAD"),
        f'spec.environmentVariables[0].name: Invalid value: "LD_PRELOAD": {RESERVED}',
    ),
    (
        "a variable of the kubelet",
        variables("KUBERNETES_SERVICE_HOST"),
        f'spec.environmentVariables[0].name: Invalid value: "KUBERNETES_SERVICE_HOST": {RESERVED}',
    ),
    (
        "a variable that starts with a digit",
        variables("1A"),
        f'spec.environmentVariables[0].name: Invalid value: "1A": {VARIABLE}',
    ),
    (
        "a name of 257 characters",
        variables("A" * 257),
        "spec.environmentVariables[0].name: Too long: may not be more than 256 bytes",
    ),
    (
        "a value of 32769 characters",
        variables("A", value="x" * 32769),
        "spec.environmentVariables[0].value: Too long: may not be more than 32768 bytes",
    ),
    (
        "a value with NUL",
        variables("A", value="x\0"),
        f'spec.environmentVariables[0].value: Invalid value: "x\\x00": {NO_NUL}',
    ),
    (
        "a value from elsewhere",
        variables("A", valueFrom={}),
        'CustomModelVersion in version "v1alpha1" cannot be handled as a CustomModelVersion: strict decoding error: '
        'unknown field "spec.environmentVariables[0].valueFrom"',
    ),
]

ENVIRONMENTS: list[Case] = [
    ("an environment", make_environment(startCommand=["python3", "-m", "server"]), ""),
    ("no image", make_environment(image=None), "spec.image: Required value"),
    (
        "an empty image",
        make_environment(image=""),
        'spec.image: Invalid value: "": spec.image in body should be at least 1 chars long',
    ),
    (
        "an image with a blank",
        make_environment(image="python 3"),
        f'spec.image: Invalid value: "python 3": {IMAGE}',
    ),
    (
        "an image as a URL",
        make_environment(image="https://r.example/x"),
        f'spec.image: Invalid value: "https://r.example/x": {IMAGE}',
    ),
    (
        "an image of 513 characters",
        make_environment(image="x" * 513),
        "spec.image: Too long: may not be more than 512 bytes",
    ),
    (
        "an unknown language",
        make_environment(programmingLanguage="go"),
        'spec.programmingLanguage: Unsupported value: "go": supported values: "python", "r", "java", "julia", '
        '"legacy", "other"',
    ),
    (
        "a label of 51 characters",
        make_environment(label="x" * 51),
        "spec.label: Too long: may not be more than 50 bytes",
    ),
    (
        "five pull secrets",
        make_environment(imagePullSecrets=[{"name": f"s{n}"} for n in range(5)]),
        "spec.imagePullSecrets: Too many: 5: must have at most 4 items",
    ),
    (
        "one pull secret twice",
        make_environment(imagePullSecrets=[{"name": "s"}, {"name": "s"}]),
        'spec.imagePullSecrets[1]: Duplicate value: {"name":"s"}',
    ),
    (
        "a pull secret that cannot exist",
        make_environment(imagePullSecrets=[{"name": "S"}]),
        f'spec.imagePullSecrets[0].name: Invalid value: "S": {DOTTED_NAME}',
    ),
    (
        "a command of 65 words",
        make_environment(startCommand=["x"] * 65),
        "spec.startCommand: Too many: 65: must have at most 64 items",
    ),
    (
        "an empty word in a command",
        make_environment(startCommand=[""]),
        'spec.startCommand[0]: Invalid value: "": spec.startCommand[0] in body should be at least 1 chars long',
    ),
    ("a version of an environment", make_environment_version(), ""),
    (
        "version 0 of an environment",
        make_environment_version(number=0),
        "spec.number: Invalid value: 0: spec.number in body should be greater than or equal to 1",
    ),
]

TESTS: list[Case] = [
    ("a test", make_test(), ""),
    ("a test without data", make_test(dataset=None), f"spec: Invalid value: {NEEDS_DATASET}"),
    (
        "a test that needs no data",
        make_test(dataset=None, configuration={"errorCheck": "skip"}),
        "",
    ),
    ("data from a ConfigMap", make_test(dataset={"configMap": {"name": "rows", "key": "rows.json"}}), ""),
    (
        "a key that no ConfigMap can have",
        make_test(dataset={"configMap": {"name": "rows", "key": "my rows"}}),
        "spec.dataset.configMap.key: Invalid value: \"my rows\": must be a key of a ConfigMap: letters, digits, '-', "
        "'_' and '.', for example rows.json",
    ),
    ("data from nowhere", make_test(dataset={}), f"spec.dataset: Invalid value: {ONE_SOURCE}"),
    (
        "two files of data",
        make_test(dataset={"inline": [file("a"), file("b")]}),
        "spec.dataset.inline: Too many: 2: must have at most 1 item",
    ),
    (
        "data in a form that is not read yet",
        make_test(dataset={**make_dataset(), "format": "csv"}),
        'spec.dataset.format: Unsupported value: "csv": supported values: "json"',
    ),
    (
        "an errorCheck that only warns",
        make_test(configuration={"errorCheck": "warn"}),
        'spec.configuration.errorCheck: Unsupported value: "warn": supported values: "fail", "skip"',
    ),
    (
        "5 seconds",
        make_test(timeoutSeconds=5),
        "spec.timeoutSeconds: Invalid value: 5: spec.timeoutSeconds in body should be greater than or equal to 10",
    ),
    ("no version", make_test(versionRef={}), "spec.versionRef.name: Required value"),
    ("a ledger", make_ledger(), ""),
    ("a ledger of no model", make_ledger(modelName=None), "spec.modelName: Required value"),
]

TABLE = {
    "names": NAMES,
    "model": MODELS,
    "gate": GATES,
    "callers": CALLERS,
    "version": VERSIONS,
    "resources": RESOURCES,
    "source": SOURCES,
    "variables": VARIABLES,
    "environment": ENVIRONMENTS,
    "test": TESTS,
}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param(manifest, message, id=f"{part}: {sentence}")
        for part, cases in TABLE.items()
        for sentence, manifest, message in cases
    ],
)
def test_the_server_says_what_is_wrong(server: ApiServer, manifest: Manifest, message: str) -> None:
    answer = create(server, "default", manifest, dry=True)

    assert refusal(answer) == message
    assert (answer.status == 201) == (message == "")
