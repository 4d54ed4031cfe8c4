"""What objects may be called."""

from __future__ import annotations

from tests.apiserver.rules.words import Case
from tests.support.objects import make_environment, make_ledger, make_model, make_test, make_version

LABEL_NAME = (
    "metadata.name: Invalid value: must be at most 63 lower-case letters, digits and '-', starting and ending with a "
    "letter or digit; choose such a name"
)
SERVICE_NAME = (
    "metadata.name: Invalid value: must be at most 52 lower-case letters, digits and '-', starting with a letter and "
    "ending with a letter or digit, because the model's Service gets this name; choose such a name"
)

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
