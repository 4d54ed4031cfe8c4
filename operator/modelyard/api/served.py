"""What a cluster lacks of our kinds: its CRDs may be older than the operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.meta import Resource

Schema = Mapping[str, Any]


def lacking(published: Schema) -> list[str]:
    """Kinds and fields of ours that are not in the API that a cluster publishes, as `CustomModel.spec.gate`.

    `published` is the cluster's OpenAPI v3 document of our group and version; of a field that is missing, what lies
    below it is not told.
    """
    schemas = published.get("components", {}).get("schemas", {})
    return [each for resource in RESOURCES for each in _lacking(resource, schemas)]


def _lacking(resource: type[Resource], schemas: Schema) -> Iterator[str]:
    kind = resource.kind
    served = schemas.get(f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.name}")
    if served is None:
        yield kind.name
        return
    (version,) = crd(resource)["spec"]["versions"]
    wanted = version["schema"]["openAPIV3Schema"]
    for part in ("spec", "status"):
        yield from _lacking_below(_only(wanted, part), _only(served, part), kind.name)


def _only(schema: Schema, part: str) -> Schema:
    properties = schema.get("properties", {})
    return {"properties": {part: properties[part]} if part in properties else {}}


def _lacking_below(wanted: Schema, served: Schema, path: str) -> Iterator[str]:
    there = served.get("properties", {})
    for name, child in wanted.get("properties", {}).items():
        if name in there:
            yield from _lacking_below(child, there[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}"
    for holder in ("items", "additionalProperties"):
        if isinstance(wanted.get(holder), Mapping):
            yield from _lacking_below(wanted[holder], served.get(holder) or {}, path)
