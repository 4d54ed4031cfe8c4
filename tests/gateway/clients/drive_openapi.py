"""Drives the client that is generated from the protocol's OpenAPI description and published as such, in both of its
forms: the one that blocks and the one for asyncio (`way`)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from open_inference.openapi.client import (  # type: ignore[import-not-found]
    AsyncOpenInferenceClient,
    OpenInferenceClient,
)
from open_inference.openapi.types import InferenceRequest  # type: ignore[import-not-found]

from tests.gateway.clients.driving import Tensor, serve

OF_SERVER = {
    "live": "check_server_liveness",
    "ready": "check_server_readiness",
    "server_metadata": "read_server_metadata",
}
OF_MODEL = {
    "model_ready": ("check_model_readiness", "check_model_version_readiness"),
    "model_metadata": ("read_model_metadata", "read_model_version_metadata"),
    "infer": ("model_infer", "model_version_infer"),
}


def call(name: str) -> Any:
    """One of the calls that do not infer."""

    def made(base: str, way: str, model: str | None = None, version: str = "") -> Any:
        if model is None:
            return asked(base, way, OF_SERVER[name])
        return asked(base, way, OF_MODEL[name][bool(version)], model, *([version] if version else []))

    return made


def infer(
    base: str,
    way: str,
    model: str,
    inputs: list[Tensor],
    version: str = "",
    outputs: list[dict[str, Any]] | None = None,
    request_id: str | None = None,
    parameters: dict[str, Any] | None = None,
) -> Any:
    """What is None is not sent."""
    document = {"id": request_id, "inputs": inputs, "outputs": outputs, "parameters": parameters}
    request = InferenceRequest.parse_obj({key: value for key, value in document.items() if value is not None})
    place = [model, *([version] if version else [])]
    return asked(base, way, OF_MODEL["infer"][bool(version)], *place, request=request)


def asked(base: str, way: str, name: str, *arguments: Any, **options: Any) -> Any:
    if way == "asyncio":
        return document_of(asyncio.run(of_asyncio(base, name, arguments, options)))
    client = OpenInferenceClient(base_url=f"http://{base}")
    return document_of(getattr(client, name)(*arguments, **options))


async def of_asyncio(base: str, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    client = AsyncOpenInferenceClient(base_url=f"http://{base}")
    return await getattr(client, name)(*arguments, **options)


def document_of(answer: Any) -> Any:
    """What the client made of an answer, as plain as JSON."""
    return None if answer is None else json.loads(answer.json())


if __name__ == "__main__":
    serve({**{name: call(name) for name in (*OF_SERVER, "model_ready", "model_metadata")}, "infer": infer})
