"""Kubernetes quantities: text such as 1Gi or 250m into numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,3}))?"
)

_MAX_LENGTH = 32


def _as_text(value: object) -> object:
    """Whole numbers may be written without quotes in YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    Field(max_length=_MAX_LENGTH),
    BeforeValidator(_as_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "maxLength": _MAX_LENGTH,
            "x-kubernetes-int-or-string": True,
        }
    ),
]
"""A quantity as the user wrote it, always as text: "1Gi", "250m", "2"."""


def parse_quantity(quantity: str) -> Decimal:
    """The number that a quantity stands for: bytes, or cores. ValueError if it is none."""
    found = _QUANTITY.fullmatch(quantity)
    if found is None:
        raise ValueError(f"{quantity!r} is not a quantity; write for example 512Mi, 1.5Gi or 250m")
    number = Decimal(found["number"])
    if found["exponent"] is not None:
        return number.scaleb(int(found["exponent"]))
    return number * _SUFFIXES[found["suffix"] or ""]


def is_quantity(text: str) -> bool:
    """Whether Kubernetes would read the text as a quantity."""
    return _QUANTITY.fullmatch(text) is not None
