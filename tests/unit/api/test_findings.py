"""What the schema's types and rules over one text find, without an API server."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.custom_model_version import CustomModelVersionSpec
from modelyard.api.findings import broken, findings
from modelyard.api.schema import structural

SCHEMA = structural(CustomModelVersionSpec)


def found(**spec: Any) -> list[str]:
    return [str(one) for one in findings(spec, SCHEMA, "spec")]


@pytest.mark.parametrize("label", ["1.0", "0.0", "10.999999999"])
def test_a_label_of_two_numbers_is_fine(label: str) -> None:
    assert found(label=label) == []


@pytest.mark.parametrize(
    "label", ["v1", "2020", "1.0\n", "01.0", "1.0.0", "1.1234567890", "", "\u0661.\u0660"]
)
def test_any_other_label_is_told_as_the_api_server_tells_it(label: str) -> None:
    assert found(label=label) == [
        f"spec.label is {label!r}: must be major.minor, two whole numbers of at most 9 digits without leading zeros, "
        "for example '1.0'"
    ]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2x", "must be letters, digits and '_', not starting with a digit"),
        ("PORT", "is reserved: the platform sets"),
        ("LD_PRELOAD", "is reserved: the platform sets"),
    ],
)
def test_a_rule_of_several_terms_needs_all_of_them(name: str, says: str) -> None:
    told = found(environmentVariables=[{"name": "FINE", "value": "x"}, {"name": name}])

    assert len(told) == 1
    assert told[0].startswith(f"spec.environmentVariables[1].name is {name!r}: {says}")


@pytest.mark.parametrize(
    ("memory", "fine"), [("1Gi", True), (2**30, True), ("15Gi", False), (5, False), ("x", False)]
)
def test_a_quantity_is_within_its_bounds(memory: object, fine: bool) -> None:
    assert (found(maximumMemory=memory) == []) is fine


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("lib/model.py", True),
        ("/x", False),
        ("x/", False),
        ("a//b", False),
        ("a\nb", False),
        ("é" * 128, False),
    ],
)
def test_a_path_is_relative_and_plain(path: str, fine: bool) -> None:
    assert (found(source={"inline": [{"path": path, "content": ""}]}) == []) is fine


def test_a_rule_of_an_object_about_one_of_its_texts_names_the_text() -> None:
    told = found(source={"inline": [{"path": "a", "content": "\0"}]})

    assert told[0].startswith("spec.source.inline[0].content is '\\x00': content must not start with a NUL")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"replicas": "3"}, "spec.replicas is '3': must be of type integer"),
        ({"replicas": True}, "spec.replicas is True: must be of type integer"),
        ({"requiresHa": "yes"}, "spec.requiresHa is 'yes': must be of type boolean"),
        ({"cpu": 0.5}, "spec.cpu is 0.5: must be of type integer or string"),
        ({"environmentVariables": {}}, "spec.environmentVariables is {}: must be of type array"),
    ],
)
def test_what_is_not_of_its_type_is_told(spec: dict[str, Any], told: str) -> None:
    assert found(**spec) == [told]


def test_a_whole_number_with_a_point_is_an_integer_as_in_json() -> None:
    assert found(replicas=2.0) == []


def test_null_counts_as_left_out() -> None:
    assert found(label=None, source={"inline": None}) == []


@pytest.mark.parametrize(
    "rule",
    ["has(self.a) || self.matches('^a$')", "self.matches('^a$') || self == ''", "self.b.matches('^a$')"],
)
def test_a_rule_over_more_than_one_text_is_left_to_the_api_server(rule: str) -> None:
    assert list(broken("b", [{"rule": rule, "message": "no"}], "spec")) == []
