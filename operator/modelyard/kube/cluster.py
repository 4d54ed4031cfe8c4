"""The one seam between deciding and the API server: what a pass may ask of a cluster.

`kube.live.LiveCluster` is the real one; tests have a fake one in memory. Reads come from the cache, which
holds our own writes; `read` is the exception, for what the cache does not keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from modelyard.api.kinds import Kind
from modelyard.kube.errors import ApiError

Manifest = dict[str, Any]
"""An object as the API server speaks it. `Any` is right here and nowhere further in."""

LOG_TIMEOUT = 10.0
"""Seconds in which a log must have come."""


class Cluster(Protocol):
    """Reads are of the cache and immediate; writes answer with the object as it now is.

    What reads give is shared with all other readers: never write into it.
    """

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The cached object; None when there is none or it was deleted. Inline contents are digests."""
        ...

    def referring(self, kind: Kind, namespace: str, reference: str, name: str) -> list[Manifest]:
        """Cached objects whose `spec.<reference>` names that object ("modelRef.name"), sorted by name."""
        ...

    def list(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """Cached objects of a namespace with all of these labels, sorted by name."""
        ...

    async def read(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object from the API server itself, contents included; None when absent."""
        ...

    async def log(
        self, namespace: str, pod: str, container: str, *, limit_bytes: int, seconds: float = LOG_TIMEOUT
    ) -> str | None:
        """The first bytes of a container's log, what has ended included; None when the pod is gone.

        Raises errors.Invalid for a container that is unknown or never ran, and errors.Unavailable when the node
        does not answer, within so many seconds. It is never cached.
        """
        ...

    async def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply of a child of ours, forced; no write when the cached one has not drifted.

        Raises errors.NameTaken when an object of that name exists that is not ours, and errors.Conflict while
        the child of an earlier owner of the same name is still to be collected.
        """
        ...

    async def apply_each(self, manifests: Sequence[Manifest]) -> Sequence[ApiError | None]:
        """`apply` for several of which none relies on another, at once where that is faster; what each raised."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Create; raises errors.AlreadyExists."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """Replace an object; its metadata.resourceVersion is the precondition. Raises errors.Conflict."""
        ...

    async def apply_status(self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Server-side apply of a whole status; no write when the cached one is equal. Absent: no error."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        """Delete this very object, dependents in the background. Absent or another uid: no error."""
        ...

    async def event(
        self, about: Manifest, *, reason: str, message: str, type: Literal["Normal", "Warning"] = "Normal"
    ) -> None:
        """Record an Event about an object, once for each (object, reason, message); never raises."""
        ...
