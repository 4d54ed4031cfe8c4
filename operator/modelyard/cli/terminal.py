"""What a person reads while a command runs, on stderr, and the report that it ends with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.api.check_plan import CheckStatus
from modelyard.api.check_report import CheckReport
from modelyard.checks.render import as_json, as_junit, as_text
from modelyard.cli.usage import EXIT_FAILED, EXIT_FINE

_RENDERERS: Mapping[str, Callable[[CheckReport], str]] = {"text": as_text, "json": as_json, "junit": as_junit}


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where progress goes. A terminal that was closed stops nothing."""

    quiet: bool = False
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """One line of progress, with the time since the start."""
        if not self.quiet:
            _print(f"{time.monotonic() - self.began:7.1f} s  {line}")

    def echo(self, line: str) -> None:
        """One line that the model printed."""
        if not self.quiet:
            _print(f"    model |  {line}")


def _print(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        return


def write_report(report: CheckReport, form: str, output: Path | None) -> None:
    """Write a report to a file, or to stdout."""
    text = _RENDERERS[form](report).rstrip("\n") + "\n"
    if output is not None:
        output.write_text(text, encoding="utf-8")
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # As with `| head`.
        sys.stderr.close()


def exit_code(report: CheckReport, *, strict: bool) -> int:
    """0 when nothing is wrong, or with `strict` when nothing is doubtful either; else 1."""
    fine = {CheckStatus.SUCCEEDED} if strict else {CheckStatus.SUCCEEDED, CheckStatus.WARNING}
    return EXIT_FINE if report.overall_status in fine else EXIT_FAILED
