"""What the runner prints: lines for people, up to a bound, and the lines that the operator reads back."""

from __future__ import annotations

from collections.abc import Callable

from modelyard.api.check_plan import CheckName, CheckOutcome
from modelyard.api.check_report import MAX_LOG, outcome_line, report_lines

_LAST_WORDS = "the log has reached its limit and says no more; the report has what matters"


class Output:
    """Prints by `write`, which takes one line; `elapsed` gives the seconds since the start."""

    def __init__(self, write: Callable[[str], None], elapsed: Callable[[], float]) -> None:
        self._write = write
        self._elapsed = elapsed
        self._left = MAX_LOG - 2 * len(_LAST_WORDS)
        self._silent = False

    def say(self, line: str) -> None:
        """One line for people, with the time; beyond the limit it is told once that no more is told."""
        timed = " ".join(f"{self._elapsed():8.1f} s  {line}".splitlines()).encode("utf-8", "replace")
        self._left -= len(timed) + 1
        if self._left >= 0:
            self._write(timed.decode("utf-8"))
        elif not self._silent:
            self._silent = True
            self._write(f"{self._elapsed():8.1f} s  {_LAST_WORDS}")

    def tell(self, name: CheckName, outcome: CheckOutcome) -> None:
        """The outcome of a check, for the operator: it is kept even if the run never gets to its end."""
        self._write(outcome_line(name, outcome))

    def hand_over(self, report: bytes) -> None:
        """The bytes of the report, for the operator."""
        for line in report_lines(report):
            self._write(line)
