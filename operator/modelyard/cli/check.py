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
from modelyard.checks.data import DataError, load_data_set
from modelyard.checks.limits import Limits
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks

EXIT_VERDICT = 0
EXIT_RUNNER_ERROR = 1
EXIT_BROKEN_INPUT = 2

logger = logging.getLogger(__name__)


class PlanError(Exception):
    """The plan cannot be used; the message names the file and the field."""


def main(argv: Sequence[str], limits: Limits | None = None) -> int:
    """Run `modelyard check` with these arguments and give its exit code."""
    options = _parser().parse_args(argv)
    progress = Progress()
    code, summary = _checked(options, limits or Limits(), progress)
    _log(progress, f"{summary.overall_status}{f': {summary.error}' if summary.error else ''}")
    options.termination.write_bytes(summary.to_termination())
    return code


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


def _checked(options: argparse.Namespace, limits: Limits, progress: Progress) -> tuple[int, CheckSummary]:
    try:
        plan = load_plan(options.plan)
    except PlanError as error:
        return EXIT_BROKEN_INPUT, progress.summary(error=str(error))
    try:
        data = load_data_set(options.data / plan.dataset) if plan.dataset else None
    except DataError as error:
        return EXIT_BROKEN_INPUT, _broken_data(plan, progress, str(error))
    run = Run(plan, data, limits, lambda line: _log(progress, line), progress)
    try:
        return asyncio.run(_until_stopped(run))
    except Exception as error:
        logger.exception("The runner failed")
        return EXIT_RUNNER_ERROR, progress.summary(error=f"runner error: {type(error).__name__}: {error}")


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
        return EXIT_VERDICT, await checks
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        error = f"stopped by {stopped_by[0].name} after {run.progress.elapsed():.0f} s"
        return 128 + stopped_by[0], run.progress.summary(error=error)


def _broken_data(plan: CheckPlan, progress: Progress, problem: str) -> CheckSummary:
    """A data set that cannot be used fails the check that is about it; nothing else was tried."""
    if plan.configuration.error_check == "skip":
        skipped = CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped as configured")
        progress.outcomes[CheckName.ERROR_CHECK] = skipped
        culprit = CheckName.LONG_RUNNING_SERVICE
    else:
        culprit = CheckName.ERROR_CHECK
    message = problem[:1].upper() + problem[1:]
    progress.outcomes[culprit] = CheckOutcome(status=CheckStatus.FAILED, message=message)
    return progress.summary(error=problem)


def _log(progress: Progress, line: str) -> None:
    print(f"{progress.elapsed():8.1f} s  {line}", flush=True)
