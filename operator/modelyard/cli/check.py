"""`modelyard check`: run the checks of a plan against a model that is up, and leave a summary.

Exit code 0: a verdict was reached, whatever it is. 1: the runner failed. 2: the plan or the data set cannot
be used. 128 + n: stopped by signal n. A summary is written in each of these cases.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from modelyard.api.check_plan import (
    CheckName,
    CheckOutcome,
    CheckPlan,
    CheckStatus,
    CheckSummary,
    first_problem,
)
from modelyard.api.check_report import CheckReport, digest_of
from modelyard.checks.columns import with_columns
from modelyard.checks.data import DataError
from modelyard.checks.data_files import load_data_set
from modelyard.checks.limits import Limits
from modelyard.checks.output import Output
from modelyard.checks.report import report_of, report_without_plan
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks

EXIT_VERDICT = 0
EXIT_RUNNER_ERROR = 1
EXIT_BROKEN_INPUT = 2

logger = logging.getLogger(__name__)


class PlanError(Exception):
    """The plan cannot be used; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class _Result:
    """How a run ended, whatever ended it."""

    code: int
    summary: CheckSummary
    report: CheckReport


def main(argv: Sequence[str], limits: Limits | None = None) -> int:
    """Run `modelyard check` with these arguments and give its exit code."""
    options = _parser().parse_args(argv)
    progress = Progress()
    output = Output(_print, progress.elapsed)
    result = _checked(options, limits or Limits(), progress, output)
    summary, report = result.summary, result.report.to_bytes()
    output.say(f"{summary.overall_status}{f': {summary.error}' if summary.error else ''}")
    with_report = summary.model_copy(update={"report": digest_of(report)})
    options.termination.write_bytes(with_report.to_termination())
    output.hand_over(report)
    return result.code


def load_plan(path: Path) -> CheckPlan:
    """The plan in a file; PlanError when it cannot be read or lacks something."""
    try:
        return CheckPlan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PlanError(f"broken plan: {path.name} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise PlanError(f"broken plan: {path.name}: {first_problem(error)}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelyard check", description=__doc__.partition("\n")[0])
    parser.add_argument("--plan", type=Path, required=True, help="the plan, a JSON file")
    parser.add_argument("--data", type=Path, default=Path("."), help="folder of the plan's data set")
    parser.add_argument("--termination", type=Path, required=True, help="where to write the summary")
    return parser


def _checked(options: argparse.Namespace, limits: Limits, progress: Progress, output: Output) -> _Result:
    try:
        plan = load_plan(options.plan)
    except PlanError as error:
        summary = progress.summary(error=str(error))
        return _Result(EXIT_BROKEN_INPUT, summary, report_without_plan(progress, summary))
    run = Run(plan, None, limits, output.say, progress, output.tell)
    try:
        if plan.dataset:
            run = replace(run, data=load_data_set(options.data / plan.dataset, plan.dataset_format))
        code, summary = asyncio.run(_until_stopped(run))
    except DataError as error:
        code, summary = EXIT_BROKEN_INPUT, _broken_data(run, str(error))
    except Exception as error:
        logger.exception("The runner failed")
        code = EXIT_RUNNER_ERROR
        summary = progress.summary(error=f"runner error: {type(error).__name__}: {error}")
    return _Result(code, summary, report_of(run, summary))


async def _until_stopped(run: Run) -> tuple[int, CheckSummary]:
    """Runs the checks; SIGTERM and SIGINT end them at once, with what is known by then."""
    stopped_by: list[signal.Signals] = []
    checks = asyncio.create_task(run_checks(run))

    def stop(number: signal.Signals) -> None:
        stopped_by.append(number)
        checks.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return EXIT_VERDICT, with_columns(await checks, run.data)
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        error = f"stopped by {stopped_by[0].name} after {run.progress.elapsed():.0f} s"
        return 128 + stopped_by[0], run.progress.summary(error=error)


def _broken_data(run: Run, problem: str) -> CheckSummary:
    """A data set that cannot be used fails the check that is about it, unless it can be mended; nothing was tried."""
    configuration = run.plan.configuration
    outcomes = {
        name: CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped as configured")
        for name in CheckName
        if configuration.severity(name) == "skip"
    }
    skipped = CheckName.ERROR_CHECK in outcomes
    culprit = CheckName.LONG_RUNNING_SERVICE if skipped else CheckName.ERROR_CHECK
    message = problem[:1].upper() + problem[1:]
    word = CheckStatus.ABORTED if run.plan.data_can_change else CheckStatus.FAILED
    outcomes[culprit] = CheckOutcome(status=word, message=message)
    for name, outcome in outcomes.items():
        run.progress.outcomes[name] = outcome
        run.ended(name, outcome)
    return run.progress.summary(error=problem).model_copy(update={"unusable_data": True})


def _print(line: str) -> None:
    print(line, flush=True)
