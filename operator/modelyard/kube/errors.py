"""What can go wrong when speaking to the API server.

    ApiError
      Unavailable      429, 5xx, connection trouble, timeouts: try again later
      Forbidden        401, 403
      NotFound         404
      AlreadyExists    409 AlreadyExists
      Conflict         409 otherwise
      Expired          410: list again
      Invalid          400, 422: the server will not take this object
      NameTaken        an object of that name exists and is not ours

Payloads never get into messages: only what the server's Status says.
"""

from __future__ import annotations


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
