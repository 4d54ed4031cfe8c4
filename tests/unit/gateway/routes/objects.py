"""Services and EndpointSlices as the cluster has them."""

from __future__ import annotations

import json
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import CUSTOM_MODEL
from modelyard.manifests.metadata import Owner
from modelyard.manifests.service import stable_service, version_service
from tests.unit.manifests.builders import MODEL, make_frozen

Manifest = dict[str, Any]
NAMESPACE, NAME = MODEL.namespace, MODEL.name


def stable(serving: str | None) -> Manifest:
    """The Service of the model, as the operator writes it."""
    return stable_service(MODEL, serving=serving)


def written() -> Manifest:
    """The Service of a version, as the operator writes it."""
    return version_service(make_frozen(), MODEL)


def version(key: str, label: str, *, model: str = NAME, namespace: str = NAMESPACE, **route: Any) -> Manifest:
    """The Service of a version with this key and label; `route` has more fields, or others."""
    target = {"type": "Regression", "name": "y"}
    told = {"model": model, "label": label, "urlPrefix": "/p", "target": target, **route}
    labelled = {labels.MANAGED_BY: "modelyard", labels.OF_MODEL: model, labels.OF_VERSION: key}
    return {
        "metadata": {
            "name": f"{model}-{key}",
            "namespace": namespace,
            "labels": labelled,
            "annotations": {labels.ROUTE: json.dumps(told)},
        },
        "spec": {"selector": {labels.SERVES: key}},
    }


def service_of(model: str, serving: str, namespace: str = NAMESPACE) -> Manifest:
    """The Service of another model."""
    return stable_service(Owner(CUSTOM_MODEL, namespace, model, "u"), serving=serving)


def endpoint(address: str, **conditions: bool) -> Manifest:
    """One pod of a slice."""
    return {"addresses": [address], "conditions": conditions or {"ready": True, "serving": True}}


def pods_of(service: Manifest, *endpoints: Manifest, part: str = "a", **more: Any) -> Manifest:
    """A slice of a Service; it carries the Service's labels, as all do."""
    metadata = service["metadata"]
    labelled = metadata["labels"] | {"kubernetes.io/service-name": metadata["name"]}
    name = f"{metadata['name']}-{part}"
    return {
        "metadata": {"name": name, "namespace": metadata["namespace"], "labels": labelled},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": list(endpoints),
        **more,
    }
