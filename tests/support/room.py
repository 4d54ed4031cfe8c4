"""What memory the chart reckons with for one worker of the gateway; tests/gateway/test_room.py measures it."""

from __future__ import annotations

MEBIBYTE = 1024 * 1024

_AT_REST = 64 * MEBIBYTE

_OF_A_BODY = 32
"""Times its size that a body takes while it is read: a list of numbers or short texts becomes that many objects."""


def needed(held: int, body: int) -> int:
    """Bytes of a worker with these limits: what is held of clients and for models, and one more body being read."""
    return _AT_REST + 2 * held + _OF_A_BODY * body
