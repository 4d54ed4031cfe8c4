"""What a request is for, by its path. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes


class Endpoint(StrEnum):
    """What there is to ask for."""

    SERVER = "server"
    LIVE = "live"
    READY = "ready"
    OPENAPI = "openapi"
    MODEL = "model"
    MODEL_READY = "model_ready"
    INFER = "infer"


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint; `namespace` None: the default one; `version` None: the one that serves."""

    endpoint: Endpoint
    namespace: str | None = None
    model: str = ""
    version: str | None = None

    @property
    def method(self) -> bytes:
        """The method it answers to; HEAD stands for GET."""
        return b"POST" if self.endpoint is Endpoint.INFER else b"GET"


_OF_THE_SERVER = {
    (): Endpoint.SERVER,
    ("health", "live"): Endpoint.LIVE,
    ("health", "ready"): Endpoint.READY,
    ("openapi.json",): Endpoint.OPENAPI,
}
_OF_A_MODEL = {(): Endpoint.MODEL, ("ready",): Endpoint.MODEL_READY, ("infer",): Endpoint.INFER}


def place_of(target: bytes) -> Place | None:
    """The place that a request's target names; None: there is none. A `/` in a name is written %2F."""
    segments = _segments(target)
    if segments is None:
        return None
    namespace = None
    if segments[0] != "v2" or segments[1:2] == ["v2"]:  # A namespace may have that name, too.
        namespace, *segments = segments
        if not namespace or segments[:1] != ["v2"]:
            return None
    rest = tuple(segments[1:])
    if rest in _OF_THE_SERVER:
        return Place(_OF_THE_SERVER[rest], namespace)
    if rest[:1] != ("models",) or len(rest) < 2 or not rest[1]:
        return None
    return _of_a_model(namespace, rest[1], rest[2:])


def path_of(target: bytes) -> bytes:
    """The path of a target without its query; a target may be a whole URL, as proxies are sent it."""
    path = target.partition(b"?")[0].partition(b"#")[0]
    if path[:7].lower() == b"http://":
        return b"/" + path[7:].partition(b"/")[2]
    return path


def _of_a_model(namespace: str | None, model: str, rest: tuple[str, ...]) -> Place | None:
    version = None
    if rest[:1] == ("versions",):
        if len(rest) < 2 or not rest[1]:
            return None
        version, rest = rest[1], rest[2:]
    endpoint = _OF_A_MODEL.get(rest)
    return Place(endpoint, namespace, model, version) if endpoint else None


def _segments(target: bytes) -> list[str] | None:
    """One `/` at the end does not matter."""
    path = path_of(target)
    if not path.startswith(b"/"):
        return None
    if len(path) > 1 and path.endswith(b"/"):
        path = path[:-1]
    try:
        return [unquote_to_bytes(segment).decode() for segment in path[1:].split(b"/")]
    except UnicodeDecodeError:
        return None
