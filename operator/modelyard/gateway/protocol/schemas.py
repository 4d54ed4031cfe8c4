"""The schemas of the OpenAPI document: what is taken in a request, and what an answer holds. Pure data."""

from __future__ import annotations

from typing import Any

from modelyard.gateway.protocol.datatypes import DATATYPES, Datatype
from modelyard.gateway.protocol.shape import MOST_DIMENSIONS

Schema = dict[str, Any]

_TOO_LARGE = {"FP16": 65520, "FP32": float(2**128 - 2**103)}
"""From here on a number is rounded to infinity."""


def ref(name: str) -> Schema:
    """A schema by its name in `components`."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas() -> dict[str, Schema]:
    """All of them by name."""
    tensors = {f"{name}Input": _input(datatype) for name, datatype in DATATYPES.items()}
    return {
        "Error": _object({"error": _text("What is wrong, in one sentence.")}),
        "Live": _object({"live": {"type": "boolean"}}),
        "Ready": _object({"ready": {"type": "boolean"}}),
        "NotReady": _object({"ready": {"const": False}, "error": {"type": "string"}}, "error"),
        "ModelReady": _object(
            {"name": {"type": "string"}, "version": _VERSION, "ready": {"type": "boolean"}}
        ),
        "ServerMetadata": _server_metadata(),
        "ModelMetadata": _model_metadata(),
        "InferRequest": _infer_request(),
        "Input": {"anyOf": [ref(name) for name in tensors]},
        **tensors,
        "InferResponse": _infer_response(),
        "Output": {"anyOf": [_output("FP64", "number"), _output("BYTES", "string")]},
    }


_VERSION = {"type": "string", "description": "The label of a version."}
_SHAPE = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_DIMENSIONS,
    "items": {"type": "integer", "minimum": 1},
    "description": "The first dimension counts rows and is the same for all inputs. [n] and [n, 1] are plain columns.",
}
_NAME = {"type": "string", "minLength": 1}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _object(properties: Schema, *required: str) -> Schema:
    """An object; `required` lists its properties that must be there: all, when none is named."""
    return {"type": "object", "properties": properties, "required": list(required or properties)}


def _parameters(**known: Schema) -> Schema:
    return {
        "type": ["object", "null"],
        "properties": known,
        "description": "Parameters that are not known here are ignored.",
    }


def _element(datatype: Datatype) -> Schema:
    match datatype.name:
        case "BOOL":
            return {"enum": [True, False, 0, 1, None]}
        case "BYTES":
            return {"type": ["string", "null"]}
        case "FP64":
            return {"type": ["number", "null"]}
        case "FP16" | "FP32" as name:
            return {
                "type": ["number", "null"],
                "exclusiveMinimum": -_TOO_LARGE[name],
                "exclusiveMaximum": _TOO_LARGE[name],
            }
        case name:
            return {"type": ["integer", "null"], **_range(datatype.size * 8, name.startswith("U"))}


def _bare(datatype: Datatype) -> Schema:
    """What `data` is: a list, or one value that is not null."""
    if datatype.name == "BOOL":
        return {"type": ["array", "boolean", "number"], "minimum": 0, "maximum": 1}
    element = _element(datatype)
    return {**element, "type": ["array", element["type"][0]]}


def _range(bits: int, unsigned: bool) -> Schema:
    if unsigned:
        return {"minimum": 0, "maximum": 2**bits - 1}
    return {"minimum": -(2 ** (bits - 1)), "maximum": 2 ** (bits - 1) - 1}


def _input(datatype: Datatype) -> Schema:
    nested = {"type": "array", "minItems": 1, "description": "Nested as `shape` says."}
    data = {
        **_bare(datatype),
        "minItems": 1,
        "items": {"anyOf": [_element(datatype), nested]},
        "description": f"Row by row, flat or nested: {datatype.takes}. A bare value is a list of one.",
    }
    parameters = _parameters(
        content_type={"description": "np, pd and str are understood, and change nothing."}
    )
    return _object(
        {
            "name": _NAME,
            "shape": _SHAPE,
            "datatype": {"const": datatype.name},
            "data": data,
            "parameters": parameters,
        },
        *("name", "shape", "datatype", "data"),
    )


def _infer_request() -> Schema:
    binary: Schema = {"type": ["boolean", "null"]}
    wanted = _object({"name": _NAME, "parameters": _parameters(binary_data=binary)}, "name")
    return _object(
        {
            "id": {
                "type": ["string", "null"],
                "description": "Comes back in the answer; made when it is not given.",
            },
            "inputs": {"type": "array", "minItems": 1, "items": ref("Input")},
            "outputs": {
                "type": ["array", "null"],
                "items": wanted,
                "description": "All but the decided label, if absent.",
            },
            "parameters": _parameters(binary_data_output=binary),
        },
        "inputs",
    )


def _output(datatype: str, kind: str) -> Schema:
    return _object(
        {
            "name": {"type": "string"},
            "shape": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {"type": "integer", "minimum": 1},
            },
            "datatype": {"const": datatype},
            "data": {"type": "array", "minItems": 1, "items": {"type": kind}},
            "parameters": {
                "type": "object",
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
            },
        },
        *("name", "shape", "datatype"),
    )


def _infer_response() -> Schema:
    return _object(
        {
            "model_name": {"type": "string"},
            "model_version": _VERSION,
            "id": {"type": "string"},
            "outputs": {"type": "array", "minItems": 1, "items": ref("Output")},
        }
    )


def _server_metadata() -> Schema:
    strings = {"type": "array", "items": {"type": "string"}}
    return _object({"name": {"type": "string"}, "version": {"type": "string"}, "extensions": strings})


def _model_metadata() -> Schema:
    datatype = {"enum": list(DATATYPES)}
    shape = {"type": "array", "items": {"type": "integer", "minimum": -1}, "description": "-1: any length."}
    tensor = _object({"name": {"type": "string"}, "datatype": datatype, "shape": shape})
    return _object(
        {
            "name": {"type": "string"},
            "versions": {"type": "array", "items": _VERSION},
            "platform": {"type": "string"},
            "inputs": {"type": "array", "items": tensor, "description": "As far as they are known."},
            "outputs": {"type": "array", "minItems": 1, "items": tensor},
        }
    )
