"""Answers that the gateway gives of itself, as bytes. Pure."""

from __future__ import annotations

from typing import Final

from modelyard.gateway import protocol

JSON: Final = b"Content-Type: application/json\r\n"

_OF_JSON: Final = ((b"content-type", b"application/json"),)

Reply = tuple[int, bytes, bytes]
"""Status, lines of headers, body."""


def health(status: int, body: bytes) -> Reply:
    """Whether something is ready; if it is not, it may be soon."""
    return status, JSON if status == 200 else b"%bRetry-After: 1\r\n" % JSON, body


def refusal(status: int, message: str, *, retry_after: int | None = None, allow: bytes = b"") -> Reply:
    """An error; with 503 the client is told when to try again, if that may help."""
    headers = JSON
    if retry_after is not None and status == 503:
        headers += b"Retry-After: %d\r\n" % retry_after
    if allow:
        headers += b"Allow: %b\r\n" % allow
    return status, headers, protocol.error(message)


def header_lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Headers as they are sent."""
    if headers == _OF_JSON:
        return JSON
    return b"".join([b"%b: %b\r\n" % header for header in headers])
