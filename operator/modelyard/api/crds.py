"""The CustomResourceDefinitions of our kinds, made from the types. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from modelyard.api.custom_model import CustomModel
from modelyard.api.custom_model_version import CustomModelVersion
from modelyard.api.execution_environment import ExecutionEnvironment
from modelyard.api.execution_environment_version import ExecutionEnvironmentVersion
from modelyard.api.labels import CATEGORY
from modelyard.api.markers import VALIDATIONS, Column
from modelyard.api.meta import Resource
from modelyard.api.model_ledger import ModelLedger
from modelyard.api.model_test import ModelTest
from modelyard.api.schema import NotStructural, structural

Manifest = dict[str, Any]

RESOURCES: tuple[type[Resource], ...] = (
    ExecutionEnvironment,
    ExecutionEnvironmentVersion,
    CustomModel,
    CustomModelVersion,
    ModelTest,
    ModelLedger,
)

_COMMON = {
    "apiVersion": {
        "type": "string",
        "description": "Version of the API that this object is written in: modelyard.dev/v1alpha1.",
    },
    "kind": {"type": "string", "description": "The kind of the object."},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
}


def crd(resource: type[Resource]) -> Manifest:
    """The CRD of one kind: schema, rules, printer columns, names, status subresource."""
    kind = resource.kind
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [_version(resource)],
        },
    }


def _version(resource: type[Resource]) -> Manifest:
    version: Manifest = {
        "name": resource.kind.version,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in resource.columns],
        "schema": {"openAPIV3Schema": _schema(resource)},
    }
    return {**version, "subresources": {"status": {}}} if "status" in resource.model_fields else version


def _schema(resource: type[Resource]) -> Manifest:
    properties = {**_COMMON, "spec": _part(resource, "spec")}
    if "status" in resource.model_fields:
        properties["status"] = {**_part(resource, "status"), "default": dict(resource.unseen)}
    return {
        "type": "object",
        "description": " ".join((resource.__doc__ or "").split()),
        "required": ["spec"],
        VALIDATIONS: [rule.to_json() for rule in resource.rules],
        "properties": properties,
    }


def _part(resource: type[Resource], name: str) -> Manifest:
    field = resource.model_fields[name]
    if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
        raise NotStructural(f"{resource.__name__}.{name}: must be one of our types")
    return {**structural(field.annotation, defaults=name == "spec"), "description": field.description}


def _column(column: Column) -> Manifest:
    entry: Manifest = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    if column.description:
        entry["description"] = column.description
    return {**entry, "priority": column.priority} if column.priority else entry
