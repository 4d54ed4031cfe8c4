"""What the API server, or an object's owner, would not let us write: a value, since a user can act on it."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard.api.reasons import Reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that was not written, and why in one sentence."""

    reason: Reason
    message: str
