"""YAML or JSON documents as the API server would take them: which objects there are, and what is wrong with them.

Types, bounds, unknown fields and the rules of one text are judged here. The rules between fields are left to an API
server, which speaks all of CEL. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from modelyard.api.crds import RESOURCES, crd
from modelyard.api.findings import Finding, broken, findings, shown
from modelyard.api.kinds import CONFIG_MAP, EXECUTION_ENVIRONMENT_VERSION, MODEL_LEDGER, Kind
from modelyard.api.labels import API_VERSION, GROUP
from modelyard.api.markers import VALIDATIONS
from modelyard.api.meta import ApiModel, DnsLabel, DnsSubdomain, ObjectMeta, Resource
from modelyard.rendering.reading import NotYaml, documents_in

Manifest = dict[str, Any]

_TYPES: Mapping[str, type[Resource]] = {
    resource.kind.name: resource for resource in RESOURCES if resource.kind != MODEL_LEDGER
}
_STAND_IN = {"uid": "-", "creationTimestamp": "2000-01-01T00:00:00Z", "namespace": "-"}
_STATUS_KEPT = (EXECUTION_ENVIRONMENT_VERSION.name,)
"""Whose status is an input: the digest of a tag. What else has one is judged anew."""

_TIME = re.compile(
    r"(19|[2-8][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""Of years that times can be reckoned from, before and after."""

_LONGEST_NAME = 58
_TIMES = ("creationTimestamp", "deletionTimestamp")

_NAMESPACE: TypeAdapter[str] = TypeAdapter(DnsLabel)
_CONFIG_MAP_NAME: TypeAdapter[str] = TypeAdapter(DnsSubdomain)


@dataclass(frozen=True, slots=True)
class Text:
    """What one file holds, and what the file is called."""

    origin: str
    content: str


class _ConfigMap(ApiModel):
    """What is read of a ConfigMap."""

    metadata: ObjectMeta
    data: dict[str, str] | None = None
    binary_data: dict[str, str] | None = None


@dataclass
class Documents:
    """What was found in the texts."""

    objects: list[Manifest] = field(default_factory=list)
    """Objects of our kinds, and ConfigMaps; none without a namespace."""

    ignored: list[str] = field(default_factory=list)
    """What else there is, as `file: Kind`."""

    problems: list[str] = field(default_factory=list)
    """One sentence each: where, which value, why not, what next."""


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
        documents = [document for document in documents_in(text.content) if document is not None]
    except NotYaml as error:
        found.problems.append(f"{text.origin}: this is neither YAML nor JSON: {error}")
        return
    for number, document in enumerate(documents, start=1):
        yield f"{text.origin} (document {number})" if len(documents) > 1 else text.origin, document


def _unfolded(document: Any) -> Iterator[Any]:
    """The items of a List, as `kubectl get --output yaml` prints several objects."""
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
        items = document["items"]
        yield from items if isinstance(items, list) else () if items is None else (items,)
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
        found.ignored.append(f"{origin}: {_plain(manifest['kind'])}")
        return
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    what = f'{origin}: {kind} "{_plain(name)}"'
    placed = {"namespace": namespace} | {k: v for k, v in manifest["metadata"].items() if v is not None}
    kept = {
        k: v for k, v in manifest.items() if v is not None and (k != "status" or kind in _STATUS_KEPT)
    } | {"metadata": placed}
    wrong = _problems(kept)
    found.problems += [f"{what}: {problem}" for problem in wrong]
    if wrong:
        return
    address = (kind, placed["namespace"], name)
    if address in seen:
        found.problems.append(f"{what} is given twice, first by {seen[address]}; keep one of the two")
        return
    seen[address] = origin
    found.objects.append(kept)


def _unfit(manifest: Any) -> str | None:
    """Why this is no object, or none that this release knows; None when it is one."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("kind"), str):
        return "this is no Kubernetes object: it has no kind; give apiVersion, kind, metadata and spec"
    kind, version, metadata = manifest["kind"], manifest.get("apiVersion"), manifest.get("metadata")
    if str(version).partition("/")[0] == GROUP and version != API_VERSION:
        return f"apiVersion is {shown(version)}: this release knows {API_VERSION}; write that"
    if version == API_VERSION and kind not in _TYPES and kind != MODEL_LEDGER.name:
        near = difflib.get_close_matches(kind, _TYPES, n=1, cutoff=0.0)
        return f"kind is {shown(kind)}, which {API_VERSION} does not have; did you mean {near[0]}?"
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
        told = _refused(manifest, _ConfigMap, CONFIG_MAP) | _told_of(_metadata_findings(manifest), CONFIG_MAP)
        return list(told.values())
    kind, schema = resource.kind, _schema(resource)
    spec = schema["properties"]["spec"]
    found = [
        *broken(manifest, schema.get(VALIDATIONS, ()), ""),
        *_metadata_findings(manifest),
        *findings(manifest.get("spec"), spec, "spec"),
    ]
    unknown = list(_unknown(manifest.get("spec"), spec, "spec", kind))
    return unknown + list((_told_of(found, kind) | _refused(manifest, resource, kind)).values())


def _refused(manifest: Manifest, model: type[ApiModel], kind: Kind) -> dict[str, str]:
    """What the types say, by field."""
    try:
        model.model_validate({**manifest, "metadata": _STAND_IN | manifest["metadata"]})
    except ValidationError as error:
        return {_path(one["loc"]): _told(one, kind) for one in error.errors(include_url=False)}
    return {}


def _told_of(found: Iterable[Finding], kind: Kind) -> dict[str, str]:
    """What the schema says, by field."""
    return {one.path: _with_next_step(str(one), kind, one.path) for one in found}


def _metadata_findings(manifest: Manifest) -> Iterator[Finding]:
    metadata = manifest["metadata"]
    if isinstance(metadata["namespace"], str):
        yield from _name_findings(_NAMESPACE, metadata["namespace"], "metadata.namespace")
    if manifest["kind"] == CONFIG_MAP.name:
        yield from _name_findings(_CONFIG_MAP_NAME, metadata["name"], "metadata.name")
    for name in _TIMES:
        time = metadata.get(name)
        if time is not None and not (isinstance(time, str) and _TIME.fullmatch(time)):
            yield Finding(
                f"metadata.{name}", time, "must be a moment such as '2026-01-31T12:00:00Z'; or leave it out"
            )


def _name_findings(allowed: TypeAdapter[str], name: str, path: str) -> Iterator[Finding]:
    try:
        allowed.validate_python(name)
    except ValidationError as error:
        yield Finding(path, name, _reason(error.errors(include_url=False)[0]))
        return
    yield from broken(name, allowed.json_schema()[VALIDATIONS], path)


def namespace_problem(name: str) -> str | None:
    """Why no namespace is called so; None when one can be."""
    return next((str(one) for one in _name_findings(_NAMESPACE, name, "the namespace")), None)


def _schema(resource: type[Resource]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = crd(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
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
                yield f"{path}.{_plain(str(name))} is no field; {hint}{_explain(kind, path)} lists those that are"
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from _unknown(inner, schema["items"], f"{path}[{number}]", kind)


def _told(error: Mapping[str, Any], kind: Kind) -> str:
    """One finding of pydantic as field, value, reason, next step."""
    path = _path(error["loc"])
    if error["type"] == "missing":
        return f"{path} is missing; {_explain(kind, path)} says what it is"
    quotes = "; write it in quotes" if error["type"] == "string_type" and _is_bare(error["input"]) else ""
    return _with_next_step(f"{path} is {shown(error['input'])}: {_reason(error)}{quotes}", kind, path)


def _is_bare(value: object) -> bool:
    """Whether it was written as a word, which YAML took for something else than a text."""
    return isinstance(value, bool | int | float)


def _with_next_step(told: str, kind: Kind, path: str) -> str:
    return f"{told}; {_explain(kind, path)} says what it takes"


def _reason(error: Mapping[str, Any]) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _path(location: Sequence[str | int]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def _plain(name: str) -> str:
    """A name without quotes, in one line, and not a long one."""
    return shown(name)[1:].removesuffix("'") if len(name) > _LONGEST_NAME or not name.isprintable() else name


def _explain(kind: Kind, path: str) -> str:
    plain = ".".join(part.partition("[")[0] for part in path.split("."))
    return f"`kubectl explain {kind.plural}.{plain}`"
