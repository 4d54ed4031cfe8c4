"""YAML or JSON documents as the API server would take them: which objects there are, and what is wrong with them.

Types, bounds and unknown fields are judged here. The rules between fields are CEL, which only an API server speaks.
Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.kinds import CONFIG_MAP, EXECUTION_ENVIRONMENT_VERSION, MODEL_LEDGER, Kind
from modelyard.api.labels import API_VERSION, GROUP
from modelyard.api.meta import Resource

Manifest = dict[str, Any]

_TYPES: Mapping[str, type[Resource]] = {
    resource.kind.name: resource for resource in RESOURCES if resource.kind != MODEL_LEDGER
}
_STAND_IN = {"uid": "-", "creationTimestamp": "2000-01-01T00:00:00Z", "namespace": "-"}
_STATUS_KEPT = (EXECUTION_ENVIRONMENT_VERSION.name,)
"""Whose status is an input: the digest of a tag. What else has one is judged anew."""

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Text:
    """What one file holds, and what the file is called."""

    origin: str
    content: str


@dataclass
class Documents:
    """What was found in the texts."""

    objects: list[Manifest] = field(default_factory=list)
    """Objects of our kinds, and ConfigMaps; none without a namespace."""

    ignored: list[str] = field(default_factory=list)
    """What else there is, as `file: Kind`."""

    problems: list[str] = field(default_factory=list)
    """One sentence each: where, which value, why not, what next."""


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: what looks like a date is text, and 1e-6 is a number."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read(texts: Iterable[Text], namespace: str) -> Documents:
    """All objects of the texts; those without a namespace are of `namespace`."""
    found = Documents()
    seen: dict[tuple[str, str, str], str] = {}
    for text in texts:
        for origin, document in _parsed(text, found):
            for manifest in _unfolded(document):
                _take(found, seen, origin, manifest, namespace)
    return found


def _parsed(text: Text, found: Documents) -> Iterator[tuple[str, Any]]:
    """The documents of a text that are not empty, each with where it is."""
    try:
        documents = [document for document in yaml.load_all(text.content, _Loader) if document is not None]
    except yaml.YAMLError as error:
        found.problems.append(f"{text.origin}: this is neither YAML nor JSON: {' '.join(str(error).split())}")
        return
    for number, document in enumerate(documents, start=1):
        yield f"{text.origin} (document {number})" if len(documents) > 1 else text.origin, document


def _unfolded(document: Any) -> Iterator[Any]:
    """The items of a List, as `kubectl get --output yaml` prints several objects."""
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
        yield from document["items"] or ()
    else:
        yield document


def _take(
    found: Documents, seen: dict[tuple[str, str, str], str], origin: str, manifest: Any, namespace: str
) -> None:
    problem = _unfit(manifest)
    if problem:
        found.problems.append(f"{origin}: {problem}")
        return
    if not _is_read(manifest):
        found.ignored.append(f"{origin}: {manifest['kind']}")
        return
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    what = f'{origin}: {kind} "{name}"'
    placed = {"namespace": namespace} | {k: v for k, v in manifest["metadata"].items() if v is not None}
    address = (kind, placed["namespace"], name)
    if address in seen:
        found.problems.append(f"{what} is given twice, first by {seen[address]}; keep one of the two")
        return
    seen[address] = origin
    wrong = [f"{what}: {problem}" for problem in _problems(manifest)]
    found.problems += wrong
    if not wrong:
        kept = {k: v for k, v in manifest.items() if k != "status" or kind in _STATUS_KEPT}
        found.objects.append({**kept, "metadata": placed})


def _unfit(manifest: Any) -> str | None:
    """Why this is no object, or none that this release knows; None when it is one."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("kind"), str):
        return "this is no Kubernetes object: it has no kind; give apiVersion, kind, metadata and spec"
    kind, version, metadata = manifest["kind"], manifest.get("apiVersion"), manifest.get("metadata")
    if str(version).partition("/")[0] == GROUP and version != API_VERSION:
        return f"apiVersion is {version!r}: this release knows {API_VERSION}; write that"
    if version == API_VERSION and kind not in _TYPES and kind != MODEL_LEDGER.name:
        near = difflib.get_close_matches(kind, _TYPES, n=1, cutoff=0.0)
        return f"kind is {kind!r}, which {API_VERSION} does not have; did you mean {near[0]}?"
    if not _is_read(manifest):
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        return f"{kind} has no metadata.name; give it one, since its children are named after it"
    return None


def _is_read(manifest: Mapping[str, Any]) -> bool:
    is_ours = manifest.get("apiVersion") == API_VERSION and manifest["kind"] in _TYPES
    return is_ours or (manifest.get("apiVersion"), manifest["kind"]) == ("v1", CONFIG_MAP.name)


# --- what the schema says ------------------------------------------------------------------------------


def _problems(manifest: Manifest) -> list[str]:
    resource = _TYPES.get(manifest["kind"])
    if resource is None:
        return []
    unknown = list(_unknown(manifest.get("spec"), _spec_schema(resource), "spec", resource.kind))
    metadata = _STAND_IN | {k: v for k, v in manifest["metadata"].items() if v is not None}
    try:
        resource.model_validate({**manifest, "metadata": metadata})
    except ValidationError as error:
        return unknown + [_told(one, resource.kind) for one in error.errors(include_url=False)]
    return unknown


def _spec_schema(resource: type[Resource]) -> Mapping[str, Any]:
    version = crd(resource)["spec"]["versions"][0]
    schema: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def _unknown(value: Any, schema: Mapping[str, Any], path: str, kind: Kind) -> Iterator[str]:
    """Fields that there are none of; the API server refuses them as well when kubectl applies."""
    properties = schema.get("properties")
    if isinstance(value, dict) and properties is not None:
        for name, inner in value.items():
            if name in properties:
                yield from _unknown(inner, properties[name], f"{path}.{name}", kind)
            else:
                near = difflib.get_close_matches(str(name), properties, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                yield f"{path}.{name} is no field; {hint}{_explain(kind, path)} lists those that are"
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from _unknown(inner, schema["items"], f"{path}[{number}]", kind)


def _told(error: Mapping[str, Any], kind: Kind) -> str:
    """One finding of pydantic as field, value, reason, next step."""
    path = _path(error["loc"])
    if error["type"] == "missing":
        return f"{path} is missing; {_explain(kind, path)} says what it is"
    return f"{path} is {_shown(error['input'])}: {_reason(error)}; {_explain(kind, path)} says what it takes"


def _reason(error: Mapping[str, Any]) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _path(location: Sequence[str | int]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _explain(kind: Kind, path: str) -> str:
    plain = ".".join(part.partition("[")[0] for part in path.split("."))
    return f"`kubectl explain {kind.plural}.{plain}`"
