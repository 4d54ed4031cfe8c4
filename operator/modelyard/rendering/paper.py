"""A cluster on paper: what passes ask and write, in a dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from modelyard.api.digests import without_contents
from modelyard.api.kinds import Kind, kind_of
from modelyard.kube.cluster import LOG_TIMEOUT, Manifest
from modelyard.kube.drift import is_same_status, stamped
from modelyard.kube.errors import AlreadyExists, ApiError
from modelyard.rendering.placeholders import Unknowns
from modelyard.status.conditions import timestamp

Address = tuple[Kind, str, str]
Manifests = list[Manifest]


class Paper:
    """Implements `kube.cluster.Cluster`. It refuses nothing and adds what every object gets: a uid and a time."""

    def __init__(self, unknowns: Unknowns, now: datetime) -> None:
        self.objects: dict[Address, Manifest] = {}
        self.sent: dict[Address, Manifest] = {}
        """What passes applied, as it is sent, in the order of its first time. Of a ledger what it says at first:
        later come verdicts and promotions."""

        self.changes = 0
        self._unknowns, self._born = unknowns, timestamp(now)

    def put(self, manifest: Manifest) -> Manifest:
        """Keep an object as the API server would; what it says of itself stands."""
        address = place(manifest)
        born = {"uid": self._unknowns.uid(*address), "creationTimestamp": self._born}
        before = self.objects.get(address)
        kept = {key: before["metadata"][key] for key in born} if before else born
        metadata = {"generation": 1, "resourceVersion": "1", **kept, **manifest["metadata"]}
        status = {"status": before["status"]} if before and "status" in before else {}
        after = {**status, **manifest, "metadata": metadata}
        if after != before:
            self.changes += 1
            self.objects[address] = after
        return self.objects[address]

    def of(self, kind: Kind) -> Manifests:
        """All objects of a kind, by namespace and name."""
        found = sorted((address[1:], m) for address, m in self.objects.items() if address[0] == kind)
        return [manifest for _, manifest in found]

    # --- Cluster ---------------------------------------------------------------------------------------

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See `Cluster.get`."""
        found = self.objects.get((kind, namespace, name))
        return without_contents(found) if found else None

    def referring(self, kind: Kind, namespace: str, reference: str, name: str) -> Manifests:
        """See `Cluster.referring`."""
        return [one for one in self.list(kind, namespace) if _named_by(one["spec"], reference) == name]

    def list(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> Manifests:
        """See `Cluster.list`."""
        wanted = (labels or {}).items()
        return [
            without_contents(manifest)
            for manifest in self.of(kind)
            if manifest["metadata"]["namespace"] == namespace
            and wanted <= manifest["metadata"].get("labels", {}).items()
        ]

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See `Cluster.read`."""
        return self.objects.get((kind, namespace, name))

    async def log(
        self, namespace: str, pod: str, container: str, *, limit_bytes: int, seconds: float = LOG_TIMEOUT
    ) -> str | None:
        """Nothing was ever printed."""
        return None

    async def apply(self, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`."""
        address, desired = place(manifest), stamped(manifest)
        if address in self.objects and self.sent.get(address) == desired:
            return self.objects[address]
        self.sent[address] = desired
        return self.put(desired)

    async def apply_each(self, manifests: Sequence[Manifest]) -> Sequence[ApiError | None]:
        """See `Cluster.apply_each`; paper is patient."""
        for manifest in manifests:
            await self.apply(manifest)
        return [None] * len(manifests)

    async def create(self, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        address = place(manifest)
        if address in self.objects:
            raise AlreadyExists(f'{manifest["kind"]} "{address[2]}" exists')
        self.sent[address] = manifest
        return self.put(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        """See `Cluster.replace`."""
        return self.put(manifest)

    async def apply_status(self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """See `Cluster.apply_status`."""
        found = self.objects.get((kind, namespace, name))
        if found is not None and not is_same_status(found.get("status"), status):
            self.put({**found, "status": dict(status)})

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        """See `Cluster.delete`."""
        found = self.objects.get((kind, namespace, name))
        if found is not None and found["metadata"]["uid"] == uid:
            self.changes += 1
            del self.objects[kind, namespace, name]

    async def event(
        self, about: Manifest, *, reason: str, message: str, type: Literal["Normal", "Warning"] = "Normal"
    ) -> None:
        """Nobody listens."""


def _named_by(spec: Any, reference: str) -> Any:
    for field in reference.split("."):
        spec = spec.get(field, {}) if isinstance(spec, dict) else {}
    return spec


def place(manifest: Mapping[str, Any]) -> Address:
    """Where an object is kept."""
    metadata = manifest["metadata"]
    return kind_of(manifest["apiVersion"], manifest["kind"]), metadata["namespace"], metadata["name"]
