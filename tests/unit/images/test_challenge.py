from __future__ import annotations

import pytest

from modelyard.images.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("headers", "challenges"),
    [
        (
            [
                'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull,push"'
            ],
            [
                Challenge(
                    "bearer",
                    (
                        ("realm", "https://auth.docker.io/token"),
                        ("service", "registry.docker.io"),
                        ("scope", "repository:a:pull,push"),
                    ),
                )
            ],
        ),
        (['Basic realm="a \\"b\\""'], [Challenge("basic", (("realm", 'a "b"'),))]),
        (
            ["BASIC realm=x, Bearer realm=y , service=z"],
            [
                Challenge("basic", (("realm", "x"),)),
                Challenge("bearer", (("realm", "y"), ("service", "z"))),
            ],
        ),
        (["Negotiate", "Basic"], [Challenge("negotiate"), Challenge("basic")]),
        (["", '"', "Bearer realm=", "=,=,"], [Challenge("bearer")]),
    ],
)
def test_header_is_read(headers: list[str], challenges: list[Challenge]) -> None:
    assert list(parse_challenges(headers)) == challenges


def test_absent_parameter_is_empty() -> None:
    assert Challenge("bearer").get("realm") == ""
