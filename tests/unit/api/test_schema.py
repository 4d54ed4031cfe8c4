"""pydantic's schema becomes one that a CRD may hold."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from modelyard.api.markers import Rule, as_list_map, as_list_set, checked
from modelyard.api.meta import ApiModel, Timestamp
from modelyard.api.quantities import Quantity
from modelyard.api.schema import NotStructural, structural


class Inner(ApiModel):
    """An inner thing."""

    name: Annotated[str, Field(min_length=1), checked(Rule("self != 'x'", "must not be x; choose another"))]
    """Its name."""

    rules: ClassVar[tuple[Rule, ...]] = (Rule("self.name != 'y'", "must not be y", ".name"),)


class Outer(ApiModel):
    """An outer thing
    in two lines."""

    inner: Inner
    """What the field says stands before what the type says."""

    maybe: Inner | None = None
    """Optional."""

    many: Annotated[list[Inner], Field(max_length=2), as_list_map("name")] = []
    """Many."""

    by_name: dict[str, Inner] = {}
    """By name."""

    amount: Quantity = "1"
    """An amount."""

    since: Timestamp | None = None
    """Since when."""

    count: Annotated[int, Field(ge=1)] = 3
    """A count."""

    text: str = ""
    """A text."""


INNER = {
    "type": "object",
    "required": ["name"],
    "x-kubernetes-validations": [
        {"rule": "self.name != 'y'", "message": "must not be y", "fieldPath": ".name"}
    ],
    "properties": {
        "name": {
            "description": "Its name.",
            "type": "string",
            "minLength": 1,
            "x-kubernetes-validations": [{"rule": "self != 'x'", "message": "must not be x; choose another"}],
        }
    },
}


def test_a_type_becomes_a_structural_schema() -> None:
    assert structural(Outer) == {
        "description": "An outer thing in two lines.",
        "type": "object",
        "required": ["inner"],
        "properties": {
            "inner": {**INNER, "description": "What the field says stands before what the type says."},
            "maybe": {**INNER, "description": "Optional."},
            "many": {
                "description": "Many.",
                "type": "array",
                "maxItems": 2,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {**INNER, "description": "An inner thing."},
            },
            "byName": {
                "description": "By name.",
                "type": "object",
                "additionalProperties": {**INNER, "description": "An inner thing."},
            },
            "amount": {
                "description": "An amount.",
                "maxLength": 32,
                "x-kubernetes-int-or-string": True,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "default": "1",
            },
            "since": {"description": "Since when.", "type": "string", "format": "date-time"},
            "count": {"description": "A count.", "type": "integer", "minimum": 1, "default": 3},
            "text": {"description": "A text.", "type": "string"},
        },
    }


def test_a_status_has_no_defaults() -> None:
    properties = structural(Outer, defaults=False)["properties"]

    assert [name for name, field in properties.items() if "default" in field] == []


def test_a_field_without_a_description_is_refused() -> None:
    class Silent(ApiModel):
        """Says nothing of its field."""

        field: str

    with pytest.raises(NotStructural, match=r"^Silent\.field: a field must have a description$"):
        structural(Silent)


def test_a_list_without_a_list_type_is_refused() -> None:
    class Listing(ApiModel):
        """Has a list."""

        names: list[str] = []
        """Names."""

    with pytest.raises(NotStructural, match=r"^Listing\.names: a list must have a list type$"):
        structural(Listing)


def test_a_field_of_two_types_is_refused() -> None:
    class Torn(ApiModel):
        """Has a union."""

        either: int | str
        """Either."""

    with pytest.raises(NotStructural, match=r"^Torn\.either: a field must have one type$"):
        structural(Torn)


def test_two_markers_of_one_field_both_count() -> None:
    class Marked(ApiModel):
        """Has two rules and a list type."""

        names: Annotated[
            list[str], as_list_set(), checked(Rule("true", "first")), checked(Rule("true", "second"))
        ] = []
        """Names."""

    field = structural(Marked)["properties"]["names"]

    assert field["x-kubernetes-list-type"] == "set"
    assert [rule["message"] for rule in field["x-kubernetes-validations"]] == ["first", "second"]
