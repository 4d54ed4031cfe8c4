"""One write in words: what a reader of a story is told of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.api import labels
from modelyard.api.reasons import ConditionType
from tests.support.world_api import Write

Manifest = dict[str, Any]
Condition = tuple[str, str, str]

VERBS = {
    "create": "creates",
    "apply": "changes",
    "update": "changes",
    "replace": "changes",
    "delete": "deletes",
    "mark": "marks for deletion",
}
_UNTOLD = {
    "Reconciling",
    "Stalled",
    "Serving",
    "SourceReady",
    "EnvironmentReady",
    "WorkloadAvailable",
    "TestsPassed",
    "ReportStored",
}
"""Conditions whose news `Ready` and `Available` tell as well; of all others a story tells every change."""

_TOLD = [str(name) for name in ConditionType if name not in _UNTOLD]

_STANDING = ("Ready", "Available", "TestsPassed", "Succeeded")


@dataclass(frozen=True, slots=True)
class Act:
    """Something is made, changed or deleted; acts of one kind that follow each other are told in one line."""

    verb: str
    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """Anything else, with the words that a status or an event gives as its reason."""

    text: str
    message: str = ""


def told(write: Write, versions: Mapping[str, str]) -> list[Act | Saying]:
    """What there is to tell of a write; `versions` are names by key."""
    if write.subresource == "status":
        return list(_status(write))
    if write.kind == "Event":
        note = write.after or {}
        return [Saying(f"event {note['reason']}", note["note"])] if note else []
    if write.kind == "EndpointSlice":
        return list(_endpoints(write))
    if write.kind == "ModelLedger" and write.after:
        return [Saying(f"notes in ModelLedger {write.name}", _ledger(write.after["spec"]))]
    if write.kind == "Pod" and write.verb == "create":
        return []
    return [Act(VERBS[write.verb], write.kind, write.name, _detail(write, versions))]


def standing(manifest: Manifest) -> Saying:
    """How an object stands: its conditions, and what they say."""
    conditions = _conditions(manifest)
    names = [name for name in _STANDING if name in conditions]
    words = ", ".join(f"{name} {' '.join(conditions[name][:2])}" for name in names)
    messages = dict.fromkeys(conditions[name][2] for name in names if conditions[name][2])
    return Saying(f"{manifest['kind']} {manifest['metadata']['name']}: {words}", "; ".join(messages))


def _detail(write: Write, versions: Mapping[str, str]) -> str:
    spec = (write.after or {}).get("spec", {})
    match write.kind:
        case "Deployment" if spec:
            return f"replicas {spec['replicas']}"
        case "Service" if spec:
            selected = str(next(iter(spec["selector"].values())))
            selects = f"selects {'nobody' if selected == 'none' else versions.get(selected, selected)}"
            return f"{selects}{_inputs(write.after or {})}"
        case _:
            return ""


def _inputs(service: Manifest) -> str:
    """What the Service of a version tells the gateway of the columns that it takes."""
    route = json.loads(service["metadata"].get("annotations", {}).get(labels.ROUTE, "{}"))
    columns = [f"{column['name']} {column['datatype']}" for column in route.get("columns", ())]
    return f", tells of the inputs {', '.join(columns)}" if columns else ""


def _ledger(spec: Manifest) -> str:
    facts = [f"{fact['name']} is {fact['label']}, {_verdict(fact)}" for fact in spec["versions"]]
    serving, testing = spec.get("serving"), spec.get("testing")
    if serving:
        seen = "" if serving.get("switchedAt") else ", once its endpoints are seen"
        facts.append(f"{serving['name']} serves{seen}")
    if testing:
        facts.append(f"it is the turn of test {testing['name']}")
    return "; ".join(facts) or "nothing yet"


def _verdict(fact: Manifest) -> str:
    return str(fact.get("verdict", {}).get("result", "untested")).lower()


def _endpoints(write: Write) -> list[Saying]:
    def ready(manifest: Manifest | None) -> list[str]:
        found = (manifest or {}).get("endpoints") or []
        return sorted(e["targetRef"]["name"] for e in found if e["conditions"]["ready"])

    before, after = ready(write.before), ready(write.after)
    name = write.name.removesuffix("-slice")
    return [Saying(f"Service {name} sends to {', '.join(after) or 'nobody'}")] if before != after else []


def _status(write: Write) -> list[Saying]:
    if write.kind in ("Pod", "Deployment", "Job"):
        return _workload_status(write)
    before, after = _conditions(write.before), _conditions(write.after)
    shown = [name for name in _TOLD if _is_worth(name, before.get(name), after.get(name))]
    messages: dict[str, dict[str, list[str]]] = {}
    for name in shown:
        changes = messages.setdefault(after[name][2], {})
        changes.setdefault(_change(before.get(name), after[name]), []).append(name)
    what = f"{write.kind} {write.name}"
    return [Saying(f"{what}: {_listed(changes)}", message) for message, changes in messages.items()]


def _listed(changes: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{' and '.join(names)} {change}" for change, names in changes.items())


def _is_worth(name: str, before: Condition | None, after: Condition | None) -> bool:
    """Whether it changed; what is nearly always false only speaks up."""
    if after is None or (before or ("", "", ""))[:2] == after[:2]:
        return False
    return name != "TemplateModified" or "True" in ((before or ("", "", ""))[0], after[0])


def _change(before: Condition | None, after: Condition) -> str:
    was = f"{' '.join(before[:2])} -> " if before else ""
    return f"{was}{' '.join(after[:2])}"


def _conditions(manifest: Manifest | None) -> dict[str, Condition]:
    found = (manifest or {}).get("status", {}).get("conditions", [])
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in found}


def _workload_status(write: Write) -> list[Saying]:
    status = (write.after or {}).get("status", {})
    if write.kind == "Job":
        ended = [c["type"] for c in status.get("conditions", []) if c["type"] in ("Complete", "Failed")]
        return [Saying(f"Job {write.name} is {end.lower()}") for end in ended]
    if write.kind == "Deployment":
        before = (write.before or {}).get("status", {}).get("readyReplicas", 0)
        ready, wanted = status.get("readyReplicas", 0), (write.after or {})["spec"]["replicas"]
        text = f"Deployment {write.name} has {ready} of {wanted} pods ready"
        return [Saying(text)] if before != ready else []
    return [Saying(f"Pod {write.name} is evicted")] if status.get("reason") == "Evicted" else []
