"""Putting observers of requests together."""

from __future__ import annotations

from modelyard.kube.requests import Request
from modelyard.kube.session import Observer


def both(first: Observer, second: Observer) -> Observer:
    """An observer that tells two."""

    def observe(request: Request, code: int | None, seconds: float) -> None:
        first(request, code, seconds)
        second(request, code, seconds)

    return observe
