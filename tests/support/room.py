"""What memory the chart reckons with for one worker of the gateway; tests/gateway/test_room.py measures it."""

from __future__ import annotations

MEBIBYTE = 1024 * 1024

_AT_REST = 64 * MEBIBYTE

_OF_ONE_READ = 32
"""Times its size that a body or an answer takes while it is read: numbers or short texts become that many objects."""


def needed(held: int, body: int, answer: int) -> int:
    """Bytes of a worker with these limits.

    What is held of clients, for models and of what models answer, and one more body or answer that is being read: one
    at a time, and no answer that is larger than what may be held.
    """
    return _AT_REST + 3 * held + _OF_ONE_READ * max(body, min(answer, held))
