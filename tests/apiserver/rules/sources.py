"""CustomModelVersion: its files and its environment variables."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import DOTTED_NAME, NO_NUL, ONE_SOURCE, Case, Manifest
from tests.support.objects import make_version

RELATIVE = "must be a relative path such as lib/model.py: no '/' at its start or end, none doubled"
NO_DOTS = (
    "must not have a part that is '.' or starts with '..'; write it from the root of the model's directory"
)
PATH_TEXT = "must be at most 255 bytes of UTF-8 without control characters; rename the file"
RESERVED = (
    "is reserved: the platform sets CLASS_LABELS, CODE_DIR, HOME, MODEL_NAME, MODEL_VERSION, NEGATIVE_CLASS_LABEL, "
    "PORT, POSITIVE_CLASS_LABEL, PREDICTION_THRESHOLD, TARGET_NAME, TARGET_TYPE, URL_PREFIX and everything that "
    "starts with LD_ or KUBERNETES_; choose another name"
)
VARIABLE = "must be letters, digits and '_', not starting with a digit, for example LOG_LEVEL"


def file(path: str, content: str = "x") -> Manifest:
    return {"path": path, "content": content}


def with_files(*files: Manifest) -> Manifest:
    return make_version(source={"inline": list(files)})


def variables(*names: str, **fields: Any) -> Manifest:
    return make_version(environmentVariables=[{"name": name, **fields} for name in names])


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
