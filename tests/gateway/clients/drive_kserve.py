"""Drives the inference client of KServe's package: InferenceRESTClient with the protocol V2."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy  # type: ignore[import-not-found]
from kserve import (  # type: ignore[import-not-found]
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)
from kserve.protocol.infer_type import (  # type: ignore[import-not-found]
    RequestedOutput,
)

from tests.gateway.clients.driving import Tensor, plain, serve

NUMPY = {
    **{"BOOL": "bool", "FP16": "float16", "FP32": "float32", "FP64": "float64", "BYTES": "object"},
    **{f"{sign}INT{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
}


async def asked(name: str, *arguments: Any, **options: Any) -> Any:
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        return await getattr(client, name)(*arguments, **options)


def call(name: str) -> Any:
    """One of the calls that do not infer."""

    def made(base: str, model: str | None = None) -> Any:
        return asyncio.run(asked(name, f"http://{base}", *([] if model is None else [model])))

    return made


def infer(
    base: str,
    model: str,
    inputs: list[Tensor],
    outputs: list[dict[str, Any]] | None = None,
    request_id: str | None = None,
    parameters: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An InferRequest; its answer as the client reads it."""
    request = InferRequest(
        model_name=model,
        infer_inputs=[tensor(one) for one in inputs],
        request_id=request_id,
        request_outputs=[wanted(**one) for one in outputs] if outputs else None,
        parameters=parameters,
    )
    return told(f"http://{base}", request, model, headers=headers or {})


def infer_document(base: str, model: str, document: dict[str, Any]) -> dict[str, Any]:
    """The client takes a request as a plain document too."""
    return told(f"http://{base}", document, model)


def tensor(given: Tensor) -> Any:
    made = InferInput(given["name"], given["shape"], given["datatype"])
    array = numpy.array(given["data"], NUMPY[given["datatype"]]).reshape(given["shape"])
    made.set_data_from_numpy(array, binary_data=given.get("binary", True))
    return made


def wanted(name: str, *, binary: bool = True) -> Any:
    return RequestedOutput(name, {"binary_data": binary})


def told(*arguments: Any, **options: Any) -> dict[str, Any]:
    """The answer as the client reads it. It does not keep which outputs were raw: the header tells if any was."""
    came: dict[str, str] = {}
    response = asyncio.run(asked("infer", *arguments, response_headers=came, **options))
    outputs = [
        {"name": one.name, "shape": list(one.shape), "datatype": one.datatype, "data": plain(one.as_numpy())}
        for one in response.outputs
    ]
    return {
        "model_name": response.model_name,
        "id": response.id,
        "outputs": outputs,
        "binary": ["inference-header-content-length" in came] * len(outputs),
    }


if __name__ == "__main__":
    serve(
        {
            "live": call("is_server_live"),
            "ready": call("is_server_ready"),
            "model_ready": call("is_model_ready"),
            "infer": infer,
            "infer_document": infer_document,
        }
    )
