"""The digests of `api.digests`, in a fifth of the time, for what the operator itself makes."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson


def plain_hash(value: Any, length: int = 8) -> str:
    """`api.digests.canonical_hash` of a JSON value that holds no fractions and no numbers beyond 64 bits."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:length]
