"""Events (events.k8s.io): what a person sees in `kubectl describe`. Building them is pure."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from modelyard.api.kinds import EVENT
from modelyard.api.labels import GROUP
from modelyard.kube.cluster import Manifest

EventType = Literal["Normal", "Warning"]
REPORTER = f"{GROUP}/operator"
_MAX_NOTE = 1024
_MAX_NAME = 253


@dataclass(frozen=True, slots=True)
class Note:
    """What an Event says."""

    reason: str
    message: str
    type: EventType


def event_name(about: Mapping[str, Any], note: Note) -> str:
    """The same for the same object, reason and message, so that the server refuses a second one."""
    metadata = about["metadata"]
    digest = hashlib.sha256("\0".join((metadata["uid"], note.reason, note.message)).encode()).hexdigest()[:16]
    return f"{metadata['name'][: _MAX_NAME - 17]}.{digest}"


def event(about: Mapping[str, Any], note: Note, *, now: datetime, instance: str) -> Manifest:
    """The manifest of an Event about an object; `instance` names the process that reports."""
    metadata = about["metadata"]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {"name": event_name(about, note), "namespace": metadata["namespace"]},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": REPORTER,
        "reportingInstance": instance,
        "action": note.reason,
        "reason": note.reason,
        "type": note.type,
        "note": _shortened(note.message),
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }


class Recorded:
    """Names of Events already sent, so that they are not sent again; the oldest are forgotten."""

    def __init__(self, limit: int = 10_000) -> None:
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._limit = limit

    def add(self, namespace: str, name: str) -> bool:
        """Whether it is new."""
        key = (namespace, name)
        if key in self._names:
            self._names.move_to_end(key)
            return False
        self._names[key] = None
        if len(self._names) > self._limit:
            self._names.popitem(last=False)
        return True


def _shortened(message: str) -> str:
    """At most 1024 bytes of UTF-8, as the API server wants it."""
    data = message.encode()
    return message if len(data) <= _MAX_NOTE else f"{data[: _MAX_NOTE - 3].decode(errors='ignore')}…"
