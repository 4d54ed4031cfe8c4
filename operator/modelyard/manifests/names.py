"""Names of children: readable in front, unique behind."""

from __future__ import annotations

import re

READABLE = 40
"""Longest readable part, so that with `-<8 hex>` and what Kubernetes adds to a pod's name 63 is never passed."""


def child_name(readable: str, unique: str) -> str:
    """`<readable, <= 40>-<unique>` as a DNS-1035 label; `unique` is hex of what tells this child from others."""
    slug = re.sub(r"[^a-z0-9-]+", "-", readable.lower()).lstrip("-")
    named = slug if slug[:1].isalpha() else f"x{slug}"
    return f"{named[:READABLE].rstrip('-')}-{unique}"
