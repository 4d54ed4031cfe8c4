"""Every answer of the API server that is no success becomes one typed error with one safe line."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.kube import errors
from modelyard.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
    from_status,
)


def status(message: str = "no", **more: Any) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "message": message, **more}


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", Invalid),
        (401, "Unauthorized", Forbidden),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (405, "MethodNotAllowed", Invalid),
        (406, "NotAcceptable", Invalid),
        (408, "Timeout", Unavailable),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Expired),
        (410, "Gone", Expired),
        (413, "RequestEntityTooLarge", Invalid),
        (415, "UnsupportedMediaType", Invalid),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", Unavailable),
        (500, "InternalError", Unavailable),
        (500, "ServerTimeout", Unavailable),
        (502, "", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
        (504, "Timeout", Unavailable),
    ],
)
def test_each_reason_of_kubernetes_has_its_error(code: int, reason: str, expected: type[ApiError]) -> None:
    assert type(from_status("get Pod ns/p", code, status(reason=reason))) is expected


def test_no_code_is_without_an_error() -> None:
    for code in range(300, 600):
        error = from_status("get Pod ns/p", code, None)

        assert isinstance(error, ApiError), code
        assert str(error) == f"get Pod ns/p: HTTP {code}"
        assert (type(error) is ApiError) == (code < 400), code


def test_every_error_class_but_name_taken_comes_from_a_code() -> None:
    answers = [(code, reason) for code in range(300, 600) for reason in ("", "AlreadyExists")]
    made = {type(from_status("x", code, status(reason=reason))) for code, reason in answers}
    declared = {
        found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, ApiError)
    }

    assert declared - made == {errors.NameTaken}


def test_the_message_is_what_the_server_says_of_what_was_tried() -> None:
    error = from_status("apply Deployment ns/d", 422, status("spec.replicas: Invalid value: -1"))

    assert str(error) == "apply Deployment ns/d: spec.replicas: Invalid value: -1"


def test_a_body_that_is_no_status_never_gets_into_the_message() -> None:
    error = from_status(
        "get Secret ns/s", 403, {"kind": "Secret", "message": "s3cret", "data": {"a": "s3cret"}}
    )

    assert "s3cret" not in str(error)


def test_a_message_is_one_line_of_bounded_length() -> None:
    error = from_status("get Pod ns/p", 500, status("a\nb\t c " + "d" * 5000))

    assert str(error).startswith("get Pod ns/p: a b c ddd")
    assert len(str(error)) == 1024


@pytest.mark.parametrize(
    ("header", "details", "expected"),
    [
        ("7", {}, 7.0),
        (None, {"retryAfterSeconds": 3}, 3.0),
        ("7", {"retryAfterSeconds": 3}, 7.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {"retryAfterSeconds": 3}, 3.0),
        (None, {}, None),
        ("-5", {}, 0.0),
    ],
)
def test_a_busy_server_says_when_to_come_back(
    header: str | None, details: dict[str, Any], expected: float | None
) -> None:
    error = from_status("list Pod", 429, status(details=details), header)

    assert isinstance(error, Unavailable)
    assert error.retry_after == expected
