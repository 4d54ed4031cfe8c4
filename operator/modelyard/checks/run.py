"""What one run of the checks has at hand, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from modelyard.api.check_plan import (
    CheckCounts,
    CheckName,
    CheckOutcome,
    CheckPlan,
    CheckStatus,
    CheckSummary,
)
from modelyard.checks.data import DataSet
from modelyard.checks.limits import Limits
from modelyard.checks.notes import Notes
from modelyard.checks.verdicts import roll_up

Log = Callable[[str], None]
"""Takes one line for people."""

Ended = Callable[[CheckName, CheckOutcome], None]
"""Hears of the outcome of a check as soon as it has ended."""


@dataclass(slots=True)
class Progress:
    """How far a run has come: enough for a summary at any moment."""

    outcomes: dict[CheckName, CheckOutcome] = field(default_factory=dict)
    notes: dict[CheckName, Notes] = field(default_factory=dict)
    rows: int = 0
    requests: int = 0
    waiting_for: Callable[[], str] = lambda: "nothing was asked yet"
    """What the current check waits for, and what it heard last; for the message of a missed deadline."""

    asked: float = 0.0
    """When the current question was asked."""

    started: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def since(self, moment: float) -> str:
        """The time since `elapsed()` was `moment`, for messages."""
        passed = self.elapsed() - moment
        return f"{passed:.1f} s" if passed < 10 else f"{passed:.0f} s"

    def expect(self, nothing: str) -> None:
        """From now on `nothing` (as: no answer to this) is what is to be told if the time runs out."""
        asked = self.asked = self.elapsed()
        self.waiting_for = lambda: f"{nothing} for {self.since(asked)}"

    def summary(self, *, error: str | None = None) -> CheckSummary:
        """The result so far; checks that have not ended are `aborted`, for the reason in `error`."""
        not_run = CheckOutcome(status=CheckStatus.ABORTED, message=f"Not finished: {error or 'unknown'}")
        outcomes = {name: self.outcomes.get(name, not_run) for name in CheckName}
        return CheckSummary(
            overall_status=roll_up(outcome.status for outcome in outcomes.values()),
            checks=outcomes,
            counts=CheckCounts(rows=self.rows, requests=self.requests),
            duration_seconds=round(self.elapsed(), 3),
            error=error,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """The givens of a run. Without a data set the checks that need one are not run."""

    plan: CheckPlan
    data: DataSet | None
    limits: Limits
    log: Log
    progress: Progress
    ended: Ended = lambda _name, _outcome: None
    hopeless: Callable[[], str | None] = lambda: None
    """Why a server that is not ready yet is not waited for any longer. In a cluster the time of the test ends that."""
