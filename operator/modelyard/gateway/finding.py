"""What a path leads to by the present table: an answer that is known already, or the way to a version. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard.gateway import protocol
from modelyard.gateway.paths import Endpoint, Place, path_of, place_of
from modelyard.gateway.protocol.words import quoted
from modelyard.gateway.replies import JSON, Reply, health, refusal
from modelyard.gateway.route import Model, Table, Version
from modelyard.gateway.series import Key

OTHER = "other"
"""The endpoint under which requests for nothing are counted."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: `reply` is the answer, unless a version is to be asked."""

    key: Key
    method: bytes
    """The method that it answers to; empty: to any."""

    reply: Reply | None = None
    model: Model | None = None
    version: Version | None = None

    lasts: bool = False
    """Whether it is so until the table changes, and only so many paths lead there as there are models and versions."""


@dataclass(frozen=True, slots=True)
class Self:
    """What the gateway knows of itself."""

    version: str
    namespace: str | None
    """Of `/v2/...`; None: the one that the table names."""

    knows: bool
    """Whether the table is known yet."""

    ready: bool


def found(target: bytes, table: Table, gateway: Self) -> Found:
    """Where a request's target leads."""
    place = place_of(target)
    if place is None:
        return _nothing(OTHER, "there is nothing at this path; GET /v2/openapi.json says what there is")
    plain = b"%" not in path_of(target)
    if not place.model:
        key = ("", "", "", place.endpoint)
        lasts = plain and place.namespace is None and place.endpoint is not Endpoint.READY
        return Found(key, place.method, _of_the_server(place, gateway), lasts=lasts)
    if not gateway.knows:
        unknown = refusal(503, "the gateway does not know its models yet", retry_after=1)
        return Found(("", "", "", place.endpoint), place.method, unknown)
    namespace = place.namespace or gateway.namespace or table.default_namespace
    if namespace is None:
        return _nothing(place.endpoint, "this gateway has no default namespace: ask for /{namespace}/v2/...")
    model = table.models.get((namespace, place.model))
    if model is None:
        return _nothing(
            place.endpoint, f"there is no model {quoted(place.model)} in namespace {quoted(namespace)}"
        )
    return _of_a_model(place, model, plain)


def wrong_method(right: bytes) -> Reply:
    """The answer to a method that a path does not know."""
    if right == b"GET":
        return refusal(405, "this path answers to GET and HEAD", allow=b"GET, HEAD")
    return refusal(405, "this path answers to POST", allow=b"POST")


def _nothing(endpoint: str, message: str) -> Found:
    return Found(("", "", "", endpoint), b"", refusal(404, message))


def _of_the_server(place: Place, gateway: Self) -> Reply:
    match place.endpoint:
        case Endpoint.LIVE:
            return 200, JSON, protocol.live()
        case Endpoint.READY:
            return health(200 if gateway.ready else 503, protocol.server_ready(gateway.ready))
        case Endpoint.OPENAPI:
            return 200, JSON, protocol.openapi()
        case _:
            return 200, JSON, protocol.server_metadata(gateway.version)


def _of_a_model(place: Place, model: Model, plain: bool) -> Found:
    label = model.serving if place.version is None else place.version
    version = None if label is None else model.versions.get(label)
    if version is None:
        key = (model.namespace, model.name, "", place.endpoint)
        return Found(key, b"", _no_version(model, place.version))
    key = (model.namespace, model.name, version.label, place.endpoint)
    if place.endpoint is Endpoint.INFER:
        return Found(key, place.method, None, model, version, plain)
    if place.endpoint is Endpoint.MODEL_READY:
        ready = bool(version.pods)
        body = protocol.model_ready(model.name, version.label, ready)
        return Found(key, place.method, health(200 if ready else 503, body), lasts=plain)
    return Found(key, place.method, (200, JSON, protocol.model_metadata(model, version)), lasts=plain)


def _no_version(model: Model, asked: str | None) -> Reply:
    if asked is None:
        return refusal(503, f"no version of model {quoted(model.name)} serves", retry_after=1)
    return refusal(404, f"model {quoted(model.name)} has no version {quoted(asked)}")
