"""Drives tritonclient: its client that blocks, its `async_infer`, and its client for asyncio (`way`)."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import numpy  # type: ignore[import-not-found]
import tritonclient.http as blocking  # type: ignore[import-not-found]
import tritonclient.http.aio as for_asyncio  # type: ignore[import-not-found]

from tests.gateway.clients.driving import Tensor, plain, serve

CALLS = {
    "live": "is_server_live",
    "ready": "is_server_ready",
    "server_metadata": "get_server_metadata",
    "model_ready": "is_model_ready",
    "model_metadata": "get_model_metadata",
    "config": "get_model_config",
}
NUMPY = {
    **{"BOOL": "bool", "FP16": "float16", "FP32": "float32", "FP64": "float64", "BYTES": "object"},
    **{f"{sign}INT{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
}


def call(name: str) -> Any:
    """One of the calls that do not infer. `base` is host:port and maybe a path."""

    def made(base: str, way: str, model: str | None = None, version: str = "") -> Any:
        arguments = () if model is None else (model, version)
        if way == "asyncio":
            return asyncio.run(asked(base, CALLS[name], arguments, {}))
        with blocking.InferenceServerClient(base) as client:
            return getattr(client, CALLS[name])(*arguments)

    return made


async def asked(base: str, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    async with for_asyncio.InferenceServerClient(base) as client:
        return await getattr(client, name)(*arguments, **options)


def infer(
    base: str,
    way: str,
    model: str,
    inputs: list[Tensor],
    version: str = "",
    outputs: list[dict[str, Any]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """`options` go to the client as they are."""
    arguments = (model, [tensor(one) for one in inputs])
    options |= {"model_version": version, "outputs": outputs and [wanted(**one) for one in outputs]}
    if way == "asyncio":
        return told(asyncio.run(asked(base, "infer", arguments, options)))
    with blocking.InferenceServerClient(base) as client:
        if way == "async_infer":
            return told(client.async_infer(*arguments, **options).get_result())
        return told(client.infer(*arguments, **options))


def infer_by_hand(base: str, way: str, model: str, inputs: list[Tensor]) -> dict[str, Any]:
    """The client makes the body and reads the answer; what is between is somebody else's HTTP."""
    client = for_asyncio if way == "asyncio" else blocking
    body, length = client.InferenceServerClient.generate_request_body([tensor(one) for one in inputs])
    headers = {} if length is None else {"Inference-Header-Content-Length": str(length)}
    request = urllib.request.Request(f"http://{base}/v2/models/{model}/infer", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        raw = answer.headers.get("Inference-Header-Content-Length")
        return told(
            client.InferenceServerClient.parse_response_body(
                answer.read(), header_length=None if raw is None else int(raw)
            )
        )


def tensor(given: Tensor) -> Any:
    made = blocking.InferInput(given["name"], given["shape"], given["datatype"])
    array = numpy.array(given["data"], NUMPY[given["datatype"]]).reshape(given["shape"])
    return made.set_data_from_numpy(array, binary_data=given.get("binary", True))


def wanted(name: str, *, binary: bool = True) -> Any:
    return blocking.InferRequestedOutput(name, binary_data=binary)


def told(result: Any) -> dict[str, Any]:
    """The answer's document, with the data as the client reads it."""
    document = result.get_response()
    outputs = [
        {key: one[key] for key in ("name", "shape", "datatype")}
        | {"data": plain(result.as_numpy(one["name"]))}
        for one in document["outputs"]
    ]
    return {**document, "outputs": outputs, "binary": ["data" not in one for one in document["outputs"]]}


if __name__ == "__main__":
    serve({**{name: call(name) for name in CALLS}, "infer": infer, "infer_by_hand": infer_by_hand})
