"""Metadata, health and error documents. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from modelyard.gateway.protocol.answer import output_names
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
            "versions": sorted(model.versions, key=_by_number),
            "platform": "modelyard",
            "inputs": [_described(column.name, column.datatype) for column in version.columns],
            "outputs": _outputs(version.target),
        }
    )


def _by_number(label: str) -> list[tuple[int, str]]:
    """1.10 comes after 1.9."""
    return [
        (int(part), "") if part.isdecimal() and len(part) < 19 else (-1, part) for part in label.split(".")
    ]


def _described(name: str, datatype: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [-1]}


def _outputs(target: Target) -> list[dict[str, Any]]:
    unasked = target.labels or (target.name,)
    return [_described(name, "FP64" if name in unasked else "BYTES") for name in output_names(target)]
