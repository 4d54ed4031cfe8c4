"""What is applied in order, what side by side, and how a refusal ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from modelyard.api.kinds import Kind
from modelyard.api.reasons import Reason
from modelyard.kube.acts import apply_all
from modelyard.kube.cluster import Cluster
from modelyard.kube.errors import ApiError, Forbidden, Invalid, Unavailable

Manifest = dict[str, Any]
API = {"Deployment": "apps/v1", "ControllerRevision": "apps/v1", "NetworkPolicy": "networking.k8s.io/v1"}


def child(kind: str, name: str = "a") -> Manifest:
    return {
        "apiVersion": API.get(kind, "v1"),
        "kind": kind,
        "metadata": {"name": name, "namespace": "ns"},
    }


class Recording:
    """A cluster that refuses what it is told to; `done` is what was applied, together in one list."""

    def __init__(self, known: Sequence[str] = (), refused: dict[str, ApiError] | None = None) -> None:
        self.known, self.refused = known, refused or {}
        self.done: list[list[str]] = []

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        return {} if kind.name in self.known else None

    async def apply(self, manifest: Manifest) -> Manifest:
        self.done.append([manifest["kind"]])
        error = self.refused.get(manifest["kind"])
        if error is not None:
            raise error
        return manifest

    async def apply_each(self, manifests: Sequence[Manifest]) -> Sequence[ApiError | None]:
        self.done.append([manifest["kind"] for manifest in manifests])
        return [self.refused.get(manifest["kind"]) for manifest in manifests]


async def applied(recording: Recording, *kinds: str) -> Any:
    return await apply_all(cast(Cluster, recording), [child(kind) for kind in kinds])


CHILDREN = ("ConfigMap", "ControllerRevision", "NetworkPolicy", "Service", "Deployment", "Service")


async def test_the_code_goes_first_then_record_and_walls_side_by_side_then_the_pods() -> None:
    recording = Recording()

    assert await applied(recording, *CHILDREN) is None
    assert recording.done == [
        ["ConfigMap"],
        ["ControllerRevision", "NetworkPolicy", "Service"],
        ["Deployment"],
        ["Service"],
    ]


async def test_what_exists_is_looked_at_one_after_the_other_before_what_is_new() -> None:
    recording = Recording(known=("ConfigMap", "Service"))

    await applied(recording, *CHILDREN)
    assert recording.done == [
        ["ConfigMap"],
        ["Service"],
        ["ControllerRevision", "NetworkPolicy"],
        ["Deployment"],
        ["Service"],
    ]


@pytest.mark.parametrize("known", [(), CHILDREN])
async def test_no_pods_start_behind_a_wall_that_was_refused(known: Sequence[str]) -> None:
    recording = Recording(known, {"NetworkPolicy": Forbidden("no right")})

    refusal = await applied(recording, *CHILDREN)

    assert (refusal.reason, refusal.message) == (Reason.FORBIDDEN, "no right")
    assert ["Deployment"] not in recording.done


async def test_the_first_refusal_of_several_is_told() -> None:
    recording = Recording(refused={"Service": Forbidden("second"), "NetworkPolicy": Invalid("first")})

    refusal = await applied(recording, *CHILDREN)

    assert (refusal.reason, refusal.message) == (Reason.INVALID_SPEC, "first")


async def test_trouble_with_the_server_is_no_refusal_and_ends_the_pass() -> None:
    recording = Recording(refused={"NetworkPolicy": Invalid("first"), "Service": Unavailable("away")})

    with pytest.raises(Unavailable):
        await applied(recording, *CHILDREN)
    assert ["Deployment"] not in recording.done
