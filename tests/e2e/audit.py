"""What the operator asked of the API server, read from the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATOR = "system:serviceaccount:modelyard-system:modelyard"


def requests(log: Path, user: str = OPERATOR) -> Iterator[dict[str, Any]]:
    """The audit events of one user, the oldest first. A line that is just being written is left out."""
    with log.open() as lines:
        for line in lines:
            if line.endswith("\n") and user in line:
                event: dict[str, Any] = json.loads(line)
                if event["user"]["username"] == user:
                    yield event


def forbidden(log: Path, user: str = OPERATOR) -> list[str]:
    """Requests of one user that its rights did not allow, as `verb resource/subresource`."""
    return [
        "/".join(filter(None, (f"{event['verb']} {what.get('resource')}", what.get("subresource"))))
        for event in requests(log, user)
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid"
        and (what := event.get("objectRef", {}))
    ]
