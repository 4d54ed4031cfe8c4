"""One line of JSON a request, for a share of them."""

from __future__ import annotations

import logging
from random import random

from modelyard.gateway.series import Key
from modelyard.http1.exchange import Exchange

logger = logging.getLogger("modelyard.gateway.access")


class AccessLog:
    """`share` of the requests, 0 to 1, chosen at random."""

    def __init__(self, share: float) -> None:
        self._share = share

    def chosen(self) -> bool:
        """Whether the next request has a line."""
        return random() < self._share

    def write(self, exchange: Exchange, key: Key, request_id: bytes, own: float, upstream: float) -> None:
        """The line of a request. Its path is as it was sent; headers and bodies are never told."""
        namespace, model, version, _ = key
        logger.info(
            "Request answered",
            extra={
                "method": exchange.method.decode("latin-1"),
                "path": exchange.target[:512].decode("latin-1"),
                "status": exchange.status,
                "request_id": request_id.decode("latin-1"),
                "model_namespace": namespace,
                "model": model,
                "version": version,
                "request_bytes": exchange.size,
                "response_bytes": len(exchange.content),
                "own_ms": round(own * 1000, 3),
                "upstream_ms": round(upstream * 1000, 3),
            },
        )
