"""What can go wrong when speaking to the API server.

    ApiError
      Unavailable      429, 5xx, connection trouble, timeouts: try again later
      Forbidden        401, 403
      NotFound         404
      AlreadyExists    409 AlreadyExists
      Conflict         409 otherwise
      Expired          410: list again
      Invalid          400, 422 and other 4xx: the server will not take this object
      NameTaken        an object of that name exists and is not ours

Payloads never get into messages: only what the server's Status says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The API server did not do what we asked; `str()` is one line fit for a condition."""


class Unavailable(ApiError):
    """The server is busy or away; the same request may work later."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Forbidden(ApiError):
    """We lack a permission."""


class NotFound(ApiError):
    """There is no such object, or its kind is not installed."""


class AlreadyExists(ApiError):
    """An object of that name exists."""


class Conflict(ApiError):
    """The object changed since we read it."""


class Expired(ApiError):
    """The resourceVersion is too old; list again."""


class Invalid(ApiError):
    """The server refuses the object as it is; the message names the field."""


class NameTaken(ApiError):
    """An object of that name exists that the operator did not make; it is left alone."""


_MAX_MESSAGE = 1024

_BY_CODE: Mapping[int, type[ApiError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Expired,
    429: Unavailable,
}


def from_status(
    what: str, code: int, status: Mapping[str, Any] | None, header: str | None = None
) -> ApiError:
    """The error for an answer of 300 and above.

    `what` was tried ("apply Deployment ns/name"); `status` is the Status that the server sent, if it did;
    `header` is its Retry-After header.
    """
    found = status if status is not None and status.get("kind") == "Status" else {}
    error = _class_of(code, str(found.get("reason") or ""))
    message = _one_line(f"{what}: {found.get('message') or f'HTTP {code}'}")
    return Unavailable(message, _retry_after(found, header)) if error is Unavailable else error(message)


def _class_of(code: int, reason: str) -> type[ApiError]:
    if code == 409 and reason == "AlreadyExists":
        return AlreadyExists
    if code in _BY_CODE:
        return _BY_CODE[code]
    if 400 <= code < 500:
        return Invalid
    return Unavailable if code >= 500 else ApiError


def _retry_after(status: Mapping[str, Any], header: str | None) -> float | None:
    """Seconds to wait as the server says: its header, or the details of its Status."""
    details = status.get("details") or {}
    for value in (header, details.get("retryAfterSeconds")):
        try:
            return max(0.0, float(str(value)))
        except ValueError:
            continue  # absent, or the date form of the header
    return None


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else f"{line[: _MAX_MESSAGE - 1]}…"
