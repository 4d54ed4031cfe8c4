"""Quantities read as Kubernetes reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from modelyard.api.quantities import is_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("128Mi", 134217728),
        ("14Gi", 15032385536),
        ("1.5Gi", 1610612736),
        ("1G", 10**9),
        ("1e3", 1000),
        ("1E3", 1000),
        ("2E", 2 * 10**18),
        ("1500m", Decimal("1.5")),
        (".5Ki", 512),
        ("1073741824", 1073741824),
    ],
)
def test_memory_is_read_in_bytes(text: str, number: int | Decimal) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize(
    ("text", "cores"), [("250m", "0.25"), ("2", "2"), ("0.5", "0.5"), ("1e-1", "0.1"), ("100u", "0.0001")]
)
def test_cpu_is_read_in_cores(text: str, cores: str) -> None:
    assert parse_quantity(text) == Decimal(cores)


@pytest.mark.parametrize(
    "text", ["", "1 Gi", "1GB", "Gi", "1ki", "1.2.3", "0x10", "1e", "lots", "1Gi\n", "\u0661"]
)
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    assert not is_quantity(text)
    with pytest.raises(ValueError, match=r"is not a quantity; write for example 512Mi, 1\.5Gi or 250m"):
        parse_quantity(text)
