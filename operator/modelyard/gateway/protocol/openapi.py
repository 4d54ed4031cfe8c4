"""The OpenAPI document of the gateway's routes. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from modelyard.gateway.protocol.schemas import ref, schemas

_ERRORS = {
    400: "The request is wrong; the sentence says what, and what is expected.",
    404: "There is no such namespace, model or version.",
    405: "The path does not answer to this method.",
    408: "The request did not arrive in time.",
    413: "The body is larger than what is taken.",
    415: "The Content-Encoding is none of gzip, deflate and identity.",
    417: "The Expect is none of 100-continue.",
    431: "The headers are larger than what is taken.",
    500: "The gateway failed.",
    502: "The model broke off, or what it answered is no good prediction for each row.",
    503: "No pod of the model can be asked now, or the gateway or the model has all the requests that it takes.",
    504: "The model did not answer in time.",
    505: "The request is of another HTTP than 1.0 and 1.1.",
}
_RETRY = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds."}}

_EXAMPLE = {
    "id": "a",
    "inputs": [
        {"name": "area", "shape": [2], "datatype": "FP64", "data": [55.5, 28]},
        {"name": "rooms", "shape": [2, 1], "datatype": "INT64", "data": [[2], [None]]},
        {"name": "district", "shape": [2], "datatype": "BYTES", "data": ["north", "süd"]},
    ],
}

_RAW = (
    "JSON followed by raw tensors, little-endian, in the order of the inputs that give the parameter "
    "`binary_data_size`. The header `Inference-Header-Content-Length` says how many bytes the JSON takes."
)

_ANY = (400, 405, 408, 413, 417, 431, 500, 505)
"""What every route may answer."""

_OF_A_MODEL = (404, 503)
"""What routes of a model may answer, too."""


@cache
def openapi() -> bytes:
    """The body of `GET /v2/openapi.json`."""
    return orjson.dumps(document())


def document() -> dict[str, Any]:
    """The document: every route for the configured namespace, and again below `/{namespace}`."""
    paths: dict[str, Any] = {}
    for prefix, parameters, suffix in (
        ("", [], ""),
        ("/{namespace}", [_in_path("namespace")], "_in_namespace"),
    ):
        paths |= {prefix + path: item for path, item in _of_server(parameters, suffix).items()}
        model = [*parameters, _in_path("model")]
        paths |= _of_model(f"{prefix}/v2/models/{{model}}", model, suffix)
        version = [*model, _in_path("version")]
        paths |= _of_model(
            f"{prefix}/v2/models/{{model}}/versions/{{version}}", version, f"_of_version{suffix}"
        )
    about = "Open Inference Protocol V2 over HTTP, with the binary tensor extension."
    return {
        "openapi": "3.1.0",
        "info": {"title": "Modelyard gateway", "version": "2", "description": about},
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {f"Error{status}": _error(status) for status in _ERRORS},
        },
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _of_server(parameters: list[Any], suffix: str) -> dict[str, Any]:
    ready = {**_answered("Ready"), **_unready("NotReady")}
    return {
        "/v2": _get(
            "server_metadata" + suffix, "Name, version, extensions", parameters, _answered("ServerMetadata")
        ),
        "/v2/health/live": _get("server_live" + suffix, "Whether it lives", parameters, _answered("Live")),
        "/v2/health/ready": _get("server_ready" + suffix, "Whether it takes requests", parameters, ready),
        "/v2/openapi.json": _get("openapi" + suffix, "This document", parameters, _answered(None)),
    }


def _of_model(path: str, parameters: list[Any], suffix: str) -> dict[str, Any]:
    metadata = {**_answered("ModelMetadata"), **_errors(*_OF_A_MODEL)}
    ready = {**_answered("ModelReady"), **_errors(*_OF_A_MODEL), **_unready("ModelReady", "Error")}
    return {
        path: _get("model_metadata" + suffix, "Versions, inputs, outputs", parameters, metadata),
        f"{path}/ready": _get("model_ready" + suffix, "Whether it can be asked", parameters, ready),
        f"{path}/infer": _infer("infer" + suffix, parameters),
    }


def _get(operation: str, summary: str, parameters: list[Any], responses: dict[str, Any]) -> dict[str, Any]:
    told = {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters,
        "responses": {**responses, **_errors(*_ANY)},
    }
    return {"get": told}


def _infer(operation: str, parameters: list[Any]) -> dict[str, Any]:
    taken = {
        "application/json": {"schema": ref("InferRequest"), "example": _EXAMPLE},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary", "description": _RAW}},
    }
    told = {
        "operationId": operation,
        "summary": "Predict",
        "parameters": parameters,
        "requestBody": {"required": True, "content": taken},
        "responses": {**_predicted(), **_errors(*_ERRORS)},
    }
    return {"post": told}


def _predicted() -> dict[str, Any]:
    answer = _answered("InferResponse")["200"]
    answer["content"]["application/octet-stream"] = {
        "schema": {"type": "string", "format": "binary", "description": _RAW.replace("inputs", "outputs")}
    }
    length = {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Bytes of JSON, where raw tensors follow.",
    }
    return {"200": {**answer, "headers": {"Inference-Header-Content-Length": length}}}


def _answered(schema: str | None) -> dict[str, Any]:
    content = {"schema": ref(schema) if schema else {"type": "object"}}
    return {"200": {"description": "As asked.", "content": {"application/json": content}}}


def _unready(*names: str) -> dict[str, Any]:
    schema = {"anyOf": [ref(name) for name in names]} if len(names) > 1 else ref(names[0])
    content = {"application/json": {"schema": schema}}
    return {"503": {"description": "Not ready.", "content": content, "headers": _RETRY}}


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/Error{status}"} for status in statuses}


def _error(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": ref("Error")}}
    headers = {"headers": _RETRY} if status == 503 else {}
    return {"description": _ERRORS[status], "content": content, **headers}
