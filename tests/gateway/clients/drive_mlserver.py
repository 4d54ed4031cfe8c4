"""Drives what MLServer gives to clients: its codecs, which make requests of what Python programs hold."""

from __future__ import annotations

import json
from typing import Any

import numpy  # type: ignore[import-not-found]
import pandas  # type: ignore[import-untyped]
from mlserver.codecs import (  # type: ignore[import-not-found]
    NumpyRequestCodec,
    PandasCodec,
    StringRequestCodec,
)

from tests.gateway.clients.driving import serve


def document(request: Any) -> Any:
    """A request as it is sent."""
    return json.loads(request.model_dump_json(exclude_none=True))


def from_frame(columns: dict[str, list[Any]], *, use_bytes: bool) -> Any:
    """Texts are objects here: MLServer does not know pandas' own type for them."""
    made = {
        name: pandas.Series(values, dtype=object if str in map(type, values) else None)
        for name, values in columns.items()
    }
    return document(PandasCodec.encode_request(pandas.DataFrame(made), use_bytes=use_bytes))


def from_array(values: list[Any]) -> Any:
    return document(NumpyRequestCodec.encode_request(numpy.array(values)))


def from_texts(texts: list[str], *, use_bytes: bool) -> Any:
    return document(StringRequestCodec.encode_request(texts, use_bytes=use_bytes))


if __name__ == "__main__":
    serve({"from_frame": from_frame, "from_array": from_array, "from_texts": from_texts})
