"""Services: one for each version (its tests, and a preview), and the stable one of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelyard.api import labels
from modelyard.api.columns import InputColumn
from modelyard.api.kinds import SERVICE
from modelyard.manifests.frozen import Frozen
from modelyard.manifests.metadata import Child, Manifest, Owner
from modelyard.manifests.pod_template import PORT_NAME, url_prefix
from modelyard.manifests.route import route_annotation

SERVICE_PORT = 80
NOBODY = "none"
"""Selector value of a stable Service while nothing serves; no version key looks like this."""


def version_service(frozen: Frozen, owner: Owner, columns: Sequence[InputColumn] = ()) -> Manifest:
    """The Service of one version's pods, which says to the gateway what they predict, and from what if it is known."""
    route = route_annotation(frozen, columns)
    child = Child(SERVICE, frozen.workload, owner, frozen.child_labels, route)
    return child.manifest(spec=_spec({labels.SERVES: frozen.key}))


def workload_service(child: Child) -> Manifest:
    """The Service of the pods of one Deployment, which has its name."""
    return child.manifest(spec=_spec({labels.WORKLOAD: child.name}))


def stable_service(model: Owner, *, serving: str | None) -> Manifest:
    """The model's own Service, named like the model; it selects the pods of the version that serves."""
    child = Child(SERVICE, model.name, model, {labels.OF_MODEL: model.name})
    return child.manifest(spec=_spec({labels.SERVES: serving or NOBODY}))


def stable_url(namespace: str, model: str, cluster_domain: str) -> str:
    """Where to call a model: append `/predict_no_state/`."""
    return f"http://{model}.{namespace}.svc.{cluster_domain}{url_prefix(namespace, model)}"


def _spec(selector: dict[str, str]) -> dict[str, Any]:
    port = {"name": PORT_NAME, "port": SERVICE_PORT, "targetPort": PORT_NAME, "protocol": "TCP"}
    return {"type": "ClusterIP", "selector": selector, "ports": [port]}
