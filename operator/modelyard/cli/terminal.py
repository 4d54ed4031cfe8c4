"""What a person reads while a command runs, on stderr, and the report that it ends with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.api.check_plan import CheckStatus
from modelyard.api.check_report import CheckReport
from modelyard.checks.render import as_json, as_junit, as_text
from modelyard.cli.stdout import write_out
from modelyard.cli.usage import EXIT_FAILED, EXIT_FINE, UsageError

RENDERERS: Mapping[str, Callable[[CheckReport], str]] = {"text": as_text, "json": as_json, "junit": as_junit}


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

    def introduce(self, remarks: Iterable[str], warnings: Iterable[str]) -> None:
        """What is to be known beforehand; warnings even where progress is not told."""
        for remark in remarks:
            self.say(remark)
        for warning in warnings:
            _print(f"warning: {warning}")


def _print(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        return


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report is written, and where to."""

    form: str
    output: Path | None
    strict: bool


def write_report(report: CheckReport, options: ReportOptions) -> None:
    """Write a report to a file, or to stdout. UsageError when the file does not take it: then it is on stdout."""
    text = _rendered(report, options)
    if options.output is None:
        write_out(text, options.form)
        return
    try:
        options.output.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        write_out(text, options.form)
        raise UsageError(
            f"{options.output} cannot be written: {error.strerror}; the report is on stdout instead"
        ) from None


def _rendered(report: CheckReport, options: ReportOptions) -> str:
    strict_junit = options.strict and options.form == "junit"
    return as_junit(report, strict=True) if strict_junit else RENDERERS[options.form](report)


def exit_code(report: CheckReport, *, strict: bool) -> int:
    """0 when nothing is wrong, or with `strict` when nothing is doubtful either; else 1."""
    fine = {CheckStatus.SUCCEEDED} if strict else {CheckStatus.SUCCEEDED, CheckStatus.WARNING}
    return EXIT_FINE if report.overall_status in fine else EXIT_FAILED
