"""Requests as clients write them, and what becomes of them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from modelyard.gateway.protocol import InferRequest, Refused, parse_infer, to_model


def tensor(data: Any = None, datatype: str = "FP64", shape: Any = None, name: str = "x", **more: Any) -> Any:
    """An input; its shape is that of flat data unless one is given."""
    found = {"name": name, "shape": [len(data)] if shape is None else shape, "datatype": datatype, **more}
    return found if data is None else found | {"data": data}


def body(*inputs: Any, **more: Any) -> bytes:
    """A request in JSON alone."""
    return orjson.dumps({"inputs": list(inputs), **more})


def raw_body(*inputs: tuple[Any, bytes], **more: Any) -> tuple[bytes, int]:
    """A request with raw tensors, and how long its JSON is."""
    told = [
        {**one, "parameters": {"binary_data_size": len(raw), **one.get("parameters", {})}}
        for one, raw in inputs
    ]
    text = body(*told, **more)
    return text + b"".join(raw for _, raw in inputs), len(text)


def parsed(text: bytes, header: int | None = None) -> InferRequest:
    """The request; it must be a good one."""
    return parse_infer(text, header, "made")


def columns(text: bytes, header: int | None = None) -> Any:
    """What the model is sent."""
    return orjson.loads(to_model(parsed(text, header)))["X"]


def column(*args: Any, **more: Any) -> Any:
    """What the model is sent for one input in JSON."""
    return columns(body(tensor(*args, **more)))["x"]


def raw_column(raw: bytes, datatype: str, shape: list[int], **more: Any) -> Any:
    """What the model is sent for one raw input."""
    return columns(*raw_body((tensor(None, datatype, shape, **more), raw)))["x"]


def refusal(text: bytes, header: int | None = None) -> str:
    """The sentence that a request is refused with; its status must be 400."""
    with pytest.raises(Refused) as caught:
        parse_infer(text, header, "made")
    assert caught.value.status == 400
    assert caught.value.message == str(caught.value)
    return caught.value.message
