"""What only a cluster knows, as values of the right form that plainly stand for something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from modelyard.api.kinds import DEPLOYMENT, POD, Kind

Manifest = dict[str, Any]

DIGEST = f"sha256:{'0' * 64}"
"""In place of the digest that a tag has in a registry."""

_NO_UID = "00000000-0000-0000-0000-"


class Unknowns(Protocol):
    """Where what a document does not say comes from."""

    def uid(self, kind: Kind, namespace: str, name: str) -> str:
        """The uid of an object."""
        ...

    def digest(self, image: str) -> str:
        """The digest of an image that is named by tag."""
        ...

    def address(self, namespace: str, service: str) -> str:
        """The address of a Service."""
        ...

    def pods(self, deployment: Mapping[str, Any]) -> list[Manifest]:
        """The pods of a Deployment, all ready."""
        ...


class Placeholders:
    """Numbers in the order of asking; addresses are of the ranges that are kept for documentation."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str, str], int] = {}

    def uid(self, kind: Kind, namespace: str, name: str) -> str:
        """See `Unknowns.uid`."""
        return f"{_NO_UID}{self._number(kind, namespace, name):012x}"

    def digest(self, image: str) -> str:
        """See `Unknowns.digest`."""
        return DIGEST

    def address(self, namespace: str, service: str) -> str:
        """See `Unknowns.address`."""
        return "198.51.100.1"

    def pods(self, deployment: Mapping[str, Any]) -> list[Manifest]:
        """See `Unknowns.pods`."""
        return [self._pod(deployment, number) for number in range(1, deployment["spec"]["replicas"] + 1)]

    def _pod(self, deployment: Mapping[str, Any], number: int) -> Manifest:
        meta, template = deployment["metadata"], deployment["spec"]["template"]
        name = f"{meta['name']}-pod-{number}"
        metadata = {
            "name": name,
            "namespace": meta["namespace"],
            "uid": self.uid(POD, meta["namespace"], name),
            "labels": template["metadata"]["labels"],
            "ownerReferences": [
                {
                    "apiVersion": DEPLOYMENT.api_version,
                    "kind": DEPLOYMENT.name,
                    "name": meta["name"],
                    "uid": meta["uid"],
                }
            ],
        }
        status = {
            "phase": "Running",
            "podIP": f"192.0.2.{number}",
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        return {"apiVersion": "v1", "kind": POD.name, "metadata": metadata, "status": status}

    def _number(self, *address: Any) -> int:
        return self._numbers.setdefault(address, len(self._numbers) + 1)


def is_placeholder(uid: str) -> bool:
    """Whether a uid is one of ours: those of a cluster are drawn by lot."""
    return uid.startswith(_NO_UID)
