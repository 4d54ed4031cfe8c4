"""The OpenAPI document of the gateway's routes. Pure."""

from __future__ import annotations

import orjson


def openapi() -> bytes:
    """The body of `GET /v2/openapi.json`."""
    return orjson.dumps(
        {"openapi": "3.1.0", "info": {"title": "Modelyard gateway", "version": "2"}, "paths": {}}
    )
