"""ExecutionEnvironment and ExecutionEnvironmentVersion."""

from __future__ import annotations

from tests.apiserver.rules.words import DOTTED_NAME, Case
from tests.support.objects import make_environment, make_environment_version

IMAGE = (
    "must be an image reference such as registry.example/team/image:tag, without blanks and without https://"
)

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
