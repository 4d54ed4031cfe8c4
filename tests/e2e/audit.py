"""What the operator asked of the API server, read from the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.api.kinds import ALL_KINDS

OPERATOR = "system:serviceaccount:modelyard-system:modelyard"


def requests(log: Path, user: str = OPERATOR, since: int = 0) -> Iterator[dict[str, Any]]:
    """The audit events of one user after a `mark`, the oldest first. A line that is just being written is left out."""
    with log.open("rb") as lines:
        lines.seek(since)
        for line in lines:
            if line.endswith(b"\n") and user.encode() in line:
                event: dict[str, Any] = json.loads(line)
                if event["user"]["username"] == user:
                    yield event


def forbidden(log: Path, user: str = OPERATOR) -> list[str]:
    """Requests of one user that its rights did not allow, as `verb resource/subresource`."""
    return [
        "/".join(filter(None, (f"{event['verb']} {what.get('resource')}", what.get("subresource"))))
        for part in _parts(log)
        for event in requests(part, user)
        if _is_refused(event) and (what := event.get("objectRef", {}))
    ]


Right = tuple[str, str, str]
"""(API group, resource or resource/subresource, verb)"""


def exercised(log: Path, user: str = OPERATOR) -> set[Right]:
    """The rights that one user made use of, since the cluster began. An apply that makes an object needs two."""
    return {right for part in _parts(log) for event in requests(part, user) for right in _rights(event)}


def _parts(log: Path) -> list[Path]:
    """The log, and what was rotated away from it."""
    return [*sorted(log.parent.glob(f"{log.stem}-*{log.suffix}")), log]


def _is_refused(event: dict[str, Any]) -> bool:
    return bool(event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid")


def _rights(event: dict[str, Any]) -> Iterator[Right]:
    what = event.get("objectRef")
    if not what or "resource" not in what or _is_refused(event):
        return
    group, resource = (
        what.get("apiGroup", ""),
        "/".join(filter(None, (what["resource"], what.get("subresource")))),
    )
    yield group, resource, event["verb"]
    if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:
        yield group, resource, "create"


WRITES = frozenset({"create", "update", "patch", "delete"})
_WORDS = {("patch", 201): "create", ("patch", 200): "apply", ("update", 200): "replace"}
_NAMES = {kind.plural: kind.name for kind in ALL_KINDS}


@dataclass(frozen=True, slots=True)
class Write:
    """One request for a change, in the words of tests/passes: `create Deployment`, `apply CustomModel/status`."""

    what: str
    name: str
    code: int
    """What the API server answered."""


def mark(log: Path) -> int:
    """Where the log ends now."""
    return log.stat().st_size


def writes(log: Path, since: int, namespace: str) -> list[Write]:
    """What the operator wanted changed in a namespace after a `mark`, the oldest first, refused or not.

    AssertionError when the log was begun anew meanwhile.
    """
    assert mark(log) >= since, "the audit log was rotated during the test"
    return [
        _write(event)
        for event in requests(log, since=since)
        if event["verb"] in WRITES and event["objectRef"].get("namespace") == namespace
    ]


def _write(event: dict[str, Any]) -> Write:
    verb, what, code = event["verb"], event["objectRef"], event["responseStatus"]["code"]
    kind, part = _NAMES.get(what["resource"], what["resource"]), what.get("subresource")
    said = f"{_WORDS.get((verb, code), verb)} {kind}{f'/{part}' if part else ''}"
    return Write(said, what.get("name") or "", code)
