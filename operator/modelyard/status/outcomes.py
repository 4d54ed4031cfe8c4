"""How a pass ends when nothing failed. Failures are exceptions (`kube.errors`), not outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more to do until something changes."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Time matters: look again after this, even if nothing changes meanwhile."""

    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Stalled:
    """A person must act; nothing to do until the object changes."""


Outcome = Settled | Waiting | Stalled
