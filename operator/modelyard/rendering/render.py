"""Documents in, what the operator would apply for them out, with what is not known and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modelyard.api.kinds import (
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    JOB,
    MODEL_TEST,
    kind_of,
)
from modelyard.api.meta import Condition
from modelyard.api.reasons import ConditionType
from modelyard.rendering.course import run
from modelyard.rendering.paper import Paper, place
from modelyard.rendering.placeholders import DIGEST, Unknowns, is_placeholder
from modelyard.roles.roles import Role
from modelyard.settings import Settings

Manifest = dict[str, Any]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_JUDGED = (
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    MODEL_TEST,
)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What came of the documents."""

    manifests: Sequence[Manifest]
    """As the operator sends them, in the order of applying."""

    notes: Sequence[str]
    """What is a placeholder, and what was taken for granted."""

    problems: Sequence[str]
    """Why something would not come up, with the next step, as a status in a cluster says it."""


async def render(objects: Sequence[Manifest], settings: Settings, unknowns: Unknowns) -> Rendering:
    """The children of these objects, up to where the candidate of each model serves."""
    now = _now(objects)
    paper = Paper(unknowns, now)
    for manifest in sorted(objects, key=_order):
        paper.put(manifest)
    await run(paper, settings, unknowns, now)
    manifests = list(paper.sent.values())
    return Rendering(manifests, list(_notes(paper, objects, manifests, settings)), list(_problems(paper)))


def _order(manifest: Manifest) -> tuple[str, str, str]:
    """So that placeholders are the same in whatever order documents come."""
    kind, namespace, name = place(manifest)
    return kind.name, namespace, name


def _now(objects: Iterable[Manifest]) -> datetime:
    """Nothing is younger than now; what has no age is as old as all the others."""
    stamps = [o["metadata"]["creationTimestamp"] for o in objects if "creationTimestamp" in o["metadata"]]
    return max((datetime.fromisoformat(stamp) for stamp in stamps), default=_EPOCH)


def _problems(paper: Paper) -> Iterable[str]:
    for kind in _JUDGED:
        for manifest in paper.of(kind):
            ready = _ready(manifest)
            if ready and ready.status != "True" and not _is_passed_over(manifest):
                yield f"{_named(manifest)} would not become ready: {ready.reason}: {ready.message}"


def _ready(manifest: Manifest) -> Condition | None:
    said = manifest.get("status", {}).get("conditions", [])
    found = next((condition for condition in said if condition["type"] == ConditionType.READY), None)
    return Condition.model_validate(found) if found else None


def _is_passed_over(manifest: Manifest) -> bool:
    """A version that a higher one of the same documents stands before, and a test that went well."""
    status = manifest["status"]
    return status.get("role") == Role.SUPERSEDED or bool(status.get("completedAt"))


def _notes(
    paper: Paper, objects: Sequence[Manifest], manifests: Sequence[Manifest], settings: Settings
) -> Iterable[str]:
    if any(_owner_is_placeholder(manifest) for manifest in manifests):
        yield (
            "the uids of owners (00000000-0000-0000-0000-…) are placeholders, and with them the names of Jobs and of "
            "what tests by hand run on, which are hashes of uids: documents from `kubectl get --output yaml` have uids"
        )
    for version in paper.of(EXECUTION_ENVIRONMENT_VERSION):
        if version.get("status", {}).get("digest") == DIGEST:
            yield (
                f"the digest of image {version['spec']['image']} is asked of its registry in a cluster; sha256:000… "
                "stands for it, and names that end in a template's hash differ with it: name the image by digest, or "
                "add the ExecutionEnvironmentVersion of the cluster"
            )
    jobs = [manifest for manifest in manifests if kind_of(manifest["apiVersion"], manifest["kind"]) == JOB]
    if jobs:
        yield (
            "plan.json of a test names pods and addresses (192.0.2.…, 198.51.100.…) that are known once they run; "
            f"its Job runs MODELYARD_IMAGE, here {settings.image}: set the MODELYARD_ variables as your operator's are"
        )
    if any(manifest["kind"] == CUSTOM_MODEL.name for manifest in objects):
        yield (
            "shown as if every test succeeds: verdicts and promotions are written to the ModelLedger as they come, and "
            "the model's Service selects a version when it was promoted"
        )
    for version in paper.of(CUSTOM_MODEL_VERSION):
        if version.get("status", {}).get("role") == Role.SUPERSEDED:
            yield f"{_named(version)} is Superseded by a version with a higher label; nothing is made for it"


def _owner_is_placeholder(manifest: Manifest) -> bool:
    return any(is_placeholder(owner["uid"]) for owner in manifest["metadata"].get("ownerReferences", []))


def _named(manifest: Manifest) -> str:
    kind, namespace, name = place(manifest)
    return f'{kind.name} "{name}" in namespace "{namespace}"'
