"""From pydantic's JSON schema to the structural OpenAPI v3 schema that a CRD wants. Pure.

pydantic writes `$ref`, `anyOf` with null, titles and null defaults, none of which a structural schema may hold.
Descriptions come from the docstrings under the fields, so a field without one fails here and not before a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
)
"""What goes into the CRD as it stands, in this order; references, nulls and defaults have rules of their
own."""

_ABSENT: tuple[Any, ...] = (None, "", [], {})
"""Defaults that mean the same as absence, and stay absent in the user's object."""


class NotStructural(ValueError):
    """A type says something that a CRD cannot say, or leaves out what it must; names the field."""


def structural(model: type[BaseModel], *, defaults: bool = True) -> Schema:
    """The structural schema of a type, nested types inlined; without any default if `defaults` is False.

    Raises NotStructural: a property without a description, a list without a list type, a union.
    """
    document = model.model_json_schema(by_alias=True)
    return _Converter(document.get("$defs", {}), defaults).convert(document, model.__name__)


class _Converter:
    """Walks one document; `path` names the field in errors."""

    def __init__(self, definitions: Mapping[str, Schema], defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def convert(self, schema: Schema, path: str) -> Schema:
        full = self._resolved(schema, path)
        kept = {key: full[key] for key in _KEPT if key in full}
        if "description" in kept:
            kept["description"] = " ".join(kept["description"].split())
        return {**kept, **self._special(full), **self._children(full, path)}

    def _resolved(self, schema: Schema, path: str) -> Schema:
        """The schema with references and `X | None` replaced by what they stand for; what stands beside
        wins."""
        if "$ref" in schema:
            target = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
            return self._resolved({**target, **_without(schema, "$ref")}, path)
        if "anyOf" in schema and not schema.get("x-kubernetes-int-or-string"):
            choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
            if len(choices) != 1:
                raise NotStructural(f"{path}: a field must have one type")
            return self._resolved({**choices[0], **_without(schema, "anyOf")}, path)
        return schema

    def _special(self, full: Schema) -> Schema:
        found: Schema = {}
        if full.get("x-kubernetes-int-or-string"):
            found["anyOf"] = full["anyOf"]
        if "const" in full:
            found["enum"] = [full["const"]]
        if full.get("format") == "date-time":
            found["format"] = "date-time"
        if self._defaults and full.get("default") not in _ABSENT:
            found["default"] = full["default"]
        return found

    def _children(self, full: Schema, path: str) -> Schema:
        found: Schema = {}
        if "properties" in full:
            found["properties"] = {
                name: self._property(child, f"{path}.{name}") for name, child in full["properties"].items()
            }
        if "items" in full:
            if "x-kubernetes-list-type" not in full:
                raise NotStructural(f"{path}: a list must have a list type")
            found["items"] = self.convert(full["items"], f"{path}[]")
        if isinstance(full.get("additionalProperties"), dict):
            found["additionalProperties"] = self.convert(full["additionalProperties"], f"{path}[*]")
        return found

    def _property(self, schema: Schema, path: str) -> Schema:
        converted = self.convert(schema, path)
        if not converted.get("description"):
            raise NotStructural(f"{path}: a field must have a description")
        return converted


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}
