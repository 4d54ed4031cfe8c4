"""What the API server says to an object: nothing, or the sentence that a user reads."""

from __future__ import annotations

from typing import Any

from modelyard.api.kinds import kind_of
from tests.apiserver.server import Answer, ApiServer
from tests.support.objects import as_applied

_BLOCKED = (
    ", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def path_of(manifest: dict[str, Any], namespace: str, *, named: bool = False, sub: str = "") -> str:
    """Where the object lies, or with `named=False` where objects of its kind are made."""
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    return kind.path(namespace, manifest["metadata"]["name"] if named else None, sub or None)


def create(server: ApiServer, namespace: str, manifest: dict[str, Any], *, dry: bool = False) -> Answer:
    """Create what a user would write for this object; unknown fields are refused as kubectl has it."""
    body = as_applied(manifest)
    body["metadata"].pop("namespace", None)
    query = "?fieldValidation=Strict" + ("&dryRun=All" if dry else "")
    return server.request("POST", path_of(manifest, namespace) + query, body)


def merge(
    server: ApiServer, namespace: str, manifest: dict[str, Any], patch: object, *, sub: str = ""
) -> Answer:
    """Change an object by a merge patch, as `kubectl patch --type=merge` does; null removes a field."""
    path = path_of(manifest, namespace, named=True, sub=sub)
    return server.request("PATCH", path, patch, content_type="application/merge-patch+json")


def refusal(answer: Answer) -> str:
    """Why an object was refused, from the field on; empty if it was not.

    The server's remark that further rules were not looked at is left out.
    """
    if answer.status < 400:
        return ""
    _, found, said = answer.message.partition(" is invalid: ")
    text = said if found else answer.message
    if _BLOCKED in text:
        text = text.replace(_BLOCKED, "").removeprefix("[").removesuffix("]")
    return text
