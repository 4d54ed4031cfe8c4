"""What happened, as a text that a reader can follow: who did what, what changed, what the status says.

    [user]        creates CustomModelVersion hello-2
    [operator]    creates Deployment hello-2-#1 (replicas 1)
    [operator]    CustomModelVersion hello-2: Ready Unknown/Starting -> True/Serving (1 of 1 replicas ready)

Hashes in names are numbered, so that a transcript changes when behaviour does and not when a byte does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.world_api import Write

Manifest = dict[str, Any]

GOLDEN = Path(__file__).parent.parent / "golden" / "stories"
_HASH = re.compile(r"-([0-9a-f]{8})(?![0-9a-f])")
_HEX = re.compile(r"\b[0-9a-f]{10}\b|sha256:[0-9a-f]{64}")
_VERBS = {
    "create": "creates",
    "apply": "applies",
    "update": "updates",
    "replace": "replaces",
    "delete": "deletes",
}
_QUIET = {"Pod", "EndpointSlice", "Event"}
"""Kinds of which only what a reader needs is told."""


class Transcript:
    """Grows from writes and from what a story says itself."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def say(self, text: str) -> None:
        """A line of the story itself."""
        self.lines.append(f"# {text}")

    def add(self, writes: Iterable[Write]) -> None:
        """The lines of these writes."""
        for write in writes:
            self.lines.extend(f"{f'[{write.actor}]':13} {self._plain(line)}" for line in _lines(write))

    def text(self) -> str:
        """The whole."""
        return "\n".join(self.lines) + "\n"

    def _plain(self, line: str) -> str:
        line = _HASH.sub(lambda match: f"-#{self._number(match[1])}", line)
        return _HEX.sub(lambda match: f"<{self._number(match[0])}>", line)

    def _number(self, found: str) -> str:
        return self._names.setdefault(found, str(len(self._names) + 1))


def _lines(write: Write) -> list[str]:
    if write.subresource == "status":
        return _status(write)
    if write.kind == "Event":
        return [f"event: {write.after['reason']}: {write.after['note']}"] if write.after else []
    if write.kind == "EndpointSlice":
        return _endpoints(write)
    if write.kind == "Pod" and write.verb == "create":
        return []
    return [f"{_VERBS[write.verb]} {write.kind} {write.name}{_detail(write)}"]


def _detail(write: Write) -> str:
    after, spec = write.after or {}, (write.after or {}).get("spec", {})
    match write.kind:
        case "Deployment" if write.after:
            return f" (replicas {spec['replicas']})"
        case "Service" if write.after:
            return f" (selects {next(iter(spec['selector'].values()))})"
        case "ModelLedger" if write.after:
            return f" ({_ledger(after['spec'])})"
        case _:
            return ""


def _ledger(spec: Manifest) -> str:
    serving = spec.get("serving")
    versions = [
        f"{v['name']} {v['label']} {v.get('verdict', {}).get('result', 'untested')}" for v in spec["versions"]
    ]
    seen = (
        ""
        if not serving
        else f"; {serving['name']} serves" + ("" if serving.get("switchedAt") else ", not switched")
    )
    testing = f"; it is the turn of test {spec['testing']['name']}" if spec.get("testing") else ""
    return ", ".join(versions) + seen + testing if versions else "empty"


def _endpoints(write: Write) -> list[str]:
    def ready(manifest: Manifest | None) -> list[str]:
        found = (manifest or {}).get("endpoints") or []
        return sorted(e["targetRef"]["name"] for e in found if e["conditions"]["ready"])

    before, after = ready(write.before), ready(write.after)
    name = write.name.removesuffix("-slice")
    return [f"Service {name} sends to {', '.join(after) or 'nobody'}"] if before != after else []


def _status(write: Write) -> list[str]:
    if write.kind in ("Pod", "Deployment", "Job"):
        return _workload_status(write)
    before, after = _conditions(write.before), _conditions(write.after)
    changed = [name for name in after if before.get(name, ("", "", ""))[:2] != after[name][:2]]
    shown = [name for name in changed if name in ("Ready", "Available", "Succeeded", "Stalled", "Pinned")]
    return [
        _condition(write, name, before.get(name), after[name])
        for name in shown
        if _is_worth(name, before, after)
    ]


def _is_worth(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Stalled only speaks up; it is false nearly always."""
    return name != "Stalled" or "True" in (before.get(name, ("",))[0], after[name][0])


def _conditions(manifest: Manifest | None) -> dict[str, tuple[str, str, str]]:
    found = (manifest or {}).get("status", {}).get("conditions", [])
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in found}


def _condition(
    write: Write, name: str, before: tuple[str, str, str] | None, after: tuple[str, str, str]
) -> str:
    was = f"{before[0]}/{before[1]} -> " if before else ""
    message = f" ({after[2]})" if after[2] else ""
    return f"{write.kind} {write.name}: {name} {was}{after[0]}/{after[1]}{message}"


def _workload_status(write: Write) -> list[str]:
    status = (write.after or {}).get("status", {})
    if write.kind == "Job":
        return [f"Job {write.name} is complete"] if status.get("conditions") else []
    if write.kind == "Deployment":
        before = (write.before or {}).get("status", {}).get("readyReplicas", 0)
        ready, wanted = status.get("readyReplicas", 0), (write.after or {})["spec"]["replicas"]
        return [f"Deployment {write.name} has {ready} of {wanted} pods ready"] if before != ready else []
    return []
