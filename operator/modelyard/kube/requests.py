"""What a request to the API server is about, told from method and path: for metrics and messages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelyard.api.kinds import ALL_KINDS, Kind

_KINDS: Mapping[tuple[str, str], Kind] = {(kind.group, kind.plural): kind for kind in ALL_KINDS}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "apply", "DELETE": "delete"}
_REPEATABLE = frozenset(("get", "list", "watch", "apply", "delete"))
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Request:
    """A request by meaning: `verb` as RBAC has it (PATCH is "apply"), and the object or list it is about."""

    verb: str
    kind: Kind | None
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def repeatable(self) -> bool:
        """It may be sent again when nobody knows whether it arrived: it reads, or says what is to be in the end."""
        return self.verb in _REPEATABLE

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        words = (self.verb, self.kind.name if self.kind else "", place, self.subresource)
        return " ".join(word for word in words if word)


def parse_request(method: str, path: str, query: Mapping[str, str]) -> Request:
    """The meaning of a request; of what the operator does not know (discovery), the verb alone."""
    group, rest = _split_group([part for part in path.split("/") if part])
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "", "")[:3]
    kind = _KINDS.get((group, plural))
    return Request(_verb(method, query, name), kind, namespace, name, subresource)


def _split_group(parts: list[str]) -> tuple[str, list[str]]:
    """A server behind a prefix (`/k8s/clusters/x/apis/...`) is looked through."""
    for position, part in enumerate(parts):
        if part == "apis":
            group, *rest = (*parts[position + 1 : position + 2], *parts[position + 3 :]) or ("",)
            return group, list(rest)
        if part == "api":
            return "", parts[position + 2 :]
    return "", []


def _verb(method: str, query: Mapping[str, str], name: str) -> str:
    if method != "GET":
        return _VERBS.get(method, OTHER)
    if query.get("watch") in ("1", "true"):
        return "watch"
    return "get" if name else "list"
