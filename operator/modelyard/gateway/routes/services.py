"""Services and EndpointSlices of one model -> what the gateway knows of it. Pure.

    Service of a version    annotation `modelyard.dev/route`: label, target, path; label `of-version`: its key
    its EndpointSlices      its pods; those that are ready, and are not about to end, get requests
    Service of the model    its selector names the key of the version that serves: a flip is this one event

Pods come from the slices of the version's own Service, which are known long before that version serves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import orjson

from modelyard.api import labels
from modelyard.api.columns import MAX_SIZE, is_tellable
from modelyard.gateway.route import Address, Column, Model, Target, TargetType, Version
from modelyard.gateway.routes.document import DATATYPES, PREFIX
from modelyard.manifests.pod_template import PORT_NAME

Manifest = Mapping[str, Any]

SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice: the Service that it is of."""

_LONGEST_NUMBER = 19
"""Digits of a part of a label from which on it is no number: Python refuses to read thousands of them."""

_TYPES = frozenset(get_args(TargetType))
_FORM = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a document of another form ends in."""

_IDENTITY = ("name", "namespace", "uid", "resourceVersion")
_LABELS = (labels.OF_MODEL, labels.OF_VERSION, SERVICE_NAME)
_SPEC = ("selector", "ipFamilies")


def lean(manifest: Manifest) -> Manifest:
    """Of a Service or EndpointSlice what `model_of` reads: a third, and few changes of it are of this."""
    metadata = manifest["metadata"]
    annotations, labelled = metadata.get("annotations") or {}, metadata.get("labels") or {}
    kept = {
        **{field: metadata[field] for field in _IDENTITY if field in metadata},
        "labels": {label: labelled[label] for label in _LABELS if label in labelled},
        "annotations": {labels.ROUTE: annotations[labels.ROUTE]} if labels.ROUTE in annotations else {},
    }
    if "spec" in manifest:
        spec = manifest["spec"]
        return {"metadata": kept, "spec": {field: spec[field] for field in _SPEC if field in spec}}
    family = manifest.get("addressType")
    pods = _ready(manifest) if labels.OF_VERSION in labelled else ()
    return {"metadata": kept, "addressType": family, "pods": [list(pod) for pod in sorted(pods)]}


def model_of(
    namespace: str, name: str, services: Iterable[Manifest], slices: Iterable[Manifest]
) -> Model | None:
    """The model of this name; None when nothing of it is left. All are lean, and carry its name as `of-model`."""
    found = list(services)
    stable = next((service for service in found if _is_stable(service, name)), None)
    serving = (stable["spec"].get("selector") or {}).get(labels.SERVES) if stable else None
    versions, label = _versions(found, _by_service(slices), serving)
    return Model(namespace, name, versions, label) if stable or versions else None


def in_step(before: Model | None, now: Model) -> Model:
    """The model as it is to be asked: it does not turn to a version of which no pod is known while one is known of
    that which served before. They are told by watches of their own, of which one may be behind, as after an outage."""
    if before is None or before.serving is None or now.serving is None:
        return now
    came, went = now.versions.get(now.serving), now.versions.get(before.serving)
    if (came is not None and came.pods) or went is None or not went.pods:
        return now
    return replace(now, serving=before.serving)


def unreadable(services: Iterable[Manifest]) -> list[str]:
    """The names of those whose route is none; one without a route is of an operator that writes none yet."""
    return [
        service["metadata"]["name"]
        for service in services
        if (route := (service["metadata"].get("annotations") or {}).get(labels.ROUTE)) is not None
        and version_in(route) is None
    ]


def version_in(annotation: str) -> Version | None:
    """The version that a route speaks of, without pods; None for what is no route. Unknown fields are for others."""
    try:
        route = orjson.loads(annotation)
        return Version(
            label=_text(route["label"]),
            target=_target(route["target"]),
            url_prefix=_path(route["urlPrefix"]),
            columns=_columns(route.get("columns")),
        )
    except _FORM:
        return None


def _pods(slices: Iterable[Manifest], family: str | None) -> tuple[Address, ...]:
    """Where the pods of a Service listen that are ready and are not about to end; each once, in one order.

    A pod may stand in two slices while it moves from one to the other. On dual-stack clusters there are slices
    for each family, and the Service's first one is used.
    """
    taken = (found for found in slices if family in (None, found.get("addressType")))
    return tuple(sorted({Address(*pod) for found in taken for pod in found["pods"]}))


def _versions(
    services: Iterable[Manifest], slices: Mapping[str, list[Manifest]], serving: str | None
) -> tuple[dict[str, Version], str | None]:
    """By label, and the label of the one with this key. Of two with the same label the serving one counts."""
    versions: dict[str, Version] = {}
    label = None
    for service in services:
        metadata = service["metadata"]
        known = version_in((metadata.get("annotations") or {}).get(labels.ROUTE, ""))
        if known is None or (known.label == label):
            continue
        pods = _pods(slices.get(metadata["name"], ()), _family(service))
        versions[known.label] = replace(known, pods=pods)
        if serving is not None and metadata["labels"].get(labels.OF_VERSION) == serving:
            label = known.label
    return dict(sorted(versions.items(), key=lambda item: _order(item[0]))), label


def _order(label: str) -> tuple[list[int], str]:
    """1.9 before 1.10."""
    parts = label.split(".")
    return [int(part) for part in parts if part.isdecimal() and len(part) < _LONGEST_NUMBER], label


def _is_stable(service: Manifest, name: str) -> bool:
    """The model's own Service has its name. That of a candidate must not pass for it, whatever its name is."""
    metadata = service["metadata"]
    return bool(metadata["name"] == name and labels.OF_VERSION not in metadata["labels"])


def _by_service(slices: Iterable[Manifest]) -> dict[str, list[Manifest]]:
    found: defaultdict[str, list[Manifest]] = defaultdict(list)
    for each in slices:
        found[each["metadata"]["labels"].get(SERVICE_NAME, "")].append(each)
    return found


def _family(service: Manifest) -> str | None:
    families = service["spec"].get("ipFamilies")
    return families[0] if families else None


def _ready(found: Manifest) -> Iterator[tuple[str, int]]:
    port = next(
        (port.get("port") for port in found.get("ports") or () if port.get("name") == PORT_NAME), None
    )
    if port is None:
        return
    for endpoint in found.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        if conditions.get("ready") is not False and not conditions.get("terminating"):
            yield endpoint["addresses"][0], port


def _target(told: Mapping[str, Any]) -> Target:
    if told["type"] not in _TYPES:
        raise ValueError("a type of targets that is not known here")
    classes = tuple(_text(label) for label in told.get("labels", ()))
    return Target(told["type"], _text(told["name"]), classes, float(told.get("threshold", 0.5)))


def _columns(told: object) -> tuple[Column, ...]:
    """None, too, of a list that the operator would not write: whoever may edit a Service may write there, and
    predictions need none."""
    known: Mapping[str, str] = {}
    with suppress(*_FORM):
        known = _known(told)
    return tuple(Column(name, datatype) for name, datatype in known.items())


def _known(told: object) -> dict[str, str]:
    if not isinstance(told, list) or len(told) > MAX_SIZE:
        raise TypeError("no list of columns")
    known = {_text(column["name"]): _datatype(column["datatype"]) for column in told}
    if len(known) < len(told) or "" in known or not is_tellable(known):
        raise ValueError("columns that are there twice, have no name, or are too many")
    return known


def _datatype(value: object) -> str:
    if value not in DATATYPES:
        raise ValueError("a datatype that is not known here")
    return _text(value)


def _path(value: object) -> str:
    """It goes as it is into the head of each request to the model."""
    path = _text(value)
    if PREFIX.fullmatch(path) is None:
        raise ValueError("no path")
    return path


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
