"""What a CRD can say about a field beyond JSON Schema: list types and CEL rules.

Each marker stands in `Annotated[...]` beside the type and adds its keys to the field's JSON schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

VALIDATIONS = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """One CEL rule: what must hold, what a user reads when it does not, and which field is to blame."""

    rule: str
    message: str
    field_path: str = ""

    def to_json(self) -> dict[str, str]:
        """As an entry of x-kubernetes-validations."""
        entry = {"rule": self.rule, "message": self.message}
        return {**entry, "fieldPath": self.field_path} if self.field_path else entry


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    json_path: str
    type: Literal["string", "integer", "date", "boolean", "number"] = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """Adds keys to a field's schema; validations add to those already there. Hashed by identity."""

    keys: tuple[tuple[str, Any], ...]

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core)
        for key, value in self.keys:
            schema[key] = [*schema.get(key, []), *value] if key == VALIDATIONS else value
        return schema


def _marker(keys: Mapping[str, Any]) -> Marker:
    return Marker(tuple(keys.items()))


def checked(*entries: Rule) -> Marker:
    """CEL rules over one field."""
    return _marker({VALIDATIONS: [entry.to_json() for entry in entries]})


def as_list_map(*keys: str) -> Marker:
    """A list whose entries are told apart by these fields, so that several writers may share it."""
    return _marker({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)})


def as_list_set() -> Marker:
    """A list of unique values."""
    return _marker({"x-kubernetes-list-type": "set"})


def atomic(what: Literal["list", "map"]) -> Marker:
    """A list or map that is always written as a whole."""
    return _marker({f"x-kubernetes-{what}-type": "atomic"})


def no_nul() -> Marker:
    """Text that a process can get in its environment."""
    return checked(Rule("!self.contains('\\x00')", "must not hold a NUL character; remove it"))


def dns_label() -> Marker:
    """A name of at most 63 characters as Kubernetes wants it for most objects of ours."""
    return checked(
        Rule(
            "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
            "must be a name of lower-case letters, digits and '-', starting and ending with a letter"
            " or digit,"
            " for example my-model",
        )
    )


def dns_subdomain() -> Marker:
    """A name of at most 253 characters as Kubernetes wants it for ConfigMaps and Secrets."""
    return checked(
        Rule(
            "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
            "must be a name of lower-case letters, digits, '-' and '.', starting and ending with a letter or"
            " digit, for example my-config",
        )
    )
