"""What a model's process is told here: the variables of a pod, with the places of this machine in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modelyard.api.custom_model import CustomModelSpec
from modelyard.manifests.pod_template import url_prefix
from modelyard.manifests.told import told

_NAMESPACE = "here"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model runs on this machine."""

    port: int
    code: Path
    home: Path
    path: str
    """PATH: where its programs are found."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model it is."""

    name: str
    label: str
    model: CustomModelSpec

    @property
    def prefix(self) -> str:
        """The path under which it answers, of the same form as in a cluster."""
        return url_prefix(_NAMESPACE, self.name)


def variables(identity: Identity, own: Mapping[str, str], place: Place) -> dict[str, str]:
    """The whole environment of the model's process: a pod's, and little of this machine's. `own` are those that
    its version declares."""
    return {
        "PATH": place.path,
        "LANG": "C.UTF-8",
        "TMPDIR": str(place.home),
        **own,
        "PORT": str(place.port),
        "URL_PREFIX": identity.prefix,
        "CODE_DIR": str(place.code),
        "HOME": str(place.home),
        **told(identity.name, identity.label, identity.model),
    }
