"""What an answer can be beside an answer."""

from __future__ import annotations


class BrokenAnswer(ConnectionError):
    """What came is not HTTP, or breaks off in the middle."""
