"""Metadata, health and error documents. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from modelyard.gateway.protocol.words import quoted
from modelyard.gateway.route import Model, Target, Version


def error(message: str) -> bytes:
    """The body of every answer that is no success."""
    return orjson.dumps({"error": message.encode("utf-8", "replace").decode()})


def live() -> bytes:
    """The body of `GET /v2/health/live`, status 200."""
    return b'{"live":true}'


def server_ready(ready: bool) -> bytes:
    """The body of `GET /v2/health/ready`, status 200 or 503."""
    return b'{"ready":true}' if ready else b'{"ready":false,"error":"the gateway is not ready"}'


def model_ready(model: str, version: str, ready: bool) -> bytes:
    """The body of `GET .../ready` of a model, status 200 or 503."""
    document: dict[str, Any] = {"name": model, "version": version, "ready": ready}
    if not ready:
        document["error"] = f"no pod of model {quoted(model)} version {quoted(version)} is ready"
    return orjson.dumps(document)


def server_metadata(version: str) -> bytes:
    """The body of `GET /v2`; `version` is the gateway's own."""
    return orjson.dumps({"name": "modelyard", "version": version, "extensions": ["binary_tensor_data"]})


def model_metadata(model: Model, version: Version) -> bytes:
    """The body of `GET .../models/{model}`: `version` is the one that was named, or that serves."""
    return orjson.dumps(
        {
            "name": model.name,
            "versions": sorted(model.versions),
            "platform": "modelyard",
            "inputs": [_described(column.name, column.datatype) for column in version.columns],
            "outputs": _outputs(version.target),
        }
    )


def _described(name: str, datatype: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [-1]}


def _outputs(target: Target) -> list[dict[str, Any]]:
    if not target.labels:
        return [_described(target.name, "FP64")]
    labels = [_described(label, "FP64") for label in target.labels]
    return labels if target.name in target.labels else [*labels, _described(target.name, "BYTES")]
