"""Digests by another way are the same digests."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.digests import canonical_hash
from modelyard.api.plain_digests import plain_hash


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [True, None, {"z": "ü€😀", "y": '\x01\x1f\x7f"\\/\b\f\n\r\t'}], "": ""},
        {"ä": 1, "z": 2, "\uffff": 3, "😀": 4, "A": -5},
        {"large": 2**63 - 1, "small": -(2**63), "tuple": (1, "2")},
    ],
)
def test_it_is_the_canonical_hash_so_that_children_of_older_releases_are_left_alone(
    value: dict[str, Any],
) -> None:
    assert plain_hash(value, 16) == canonical_hash(value, 16)
    assert plain_hash(value) == canonical_hash(value)
