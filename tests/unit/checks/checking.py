"""A plan for one model, run in short time."""

from __future__ import annotations

from typing import Any

from modelyard.api.check_plan import CheckName, CheckPlan, CheckSummary
from modelyard.api.check_report import CheckRecord
from modelyard.checks.data import DataSet
from modelyard.checks.limits import Limits
from modelyard.checks.report import report_of
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks
from tests.unit.checks.conftest import PREFIX

LIMITS = Limits(
    ask_interval=0.02,
    settle_seconds=0.02,
    settle_interval=0.02,
    aftermath_seconds=0,
    back_seconds=0.5,
    reserve_seconds=0.5,
)


def plan_for(address: str, **fields: Any) -> CheckPlan:
    """A plan whose later checks fail where they would only warn."""
    wire = {
        "test": "team/gate",
        "model": "hello",
        "version": "1.0",
        "urlPrefix": PREFIX,
        "service": address,
        "targetType": "Regression",
        "targetName": "y",
        "timeoutSeconds": 30,
        "configuration": {"nullValueImputation": "fail", "sideEffects": "fail"},
        **fields,
    }
    return CheckPlan.model_validate(wire)


class Checked:
    """A run that has ended."""

    def __init__(self, run: Run, summary: CheckSummary, log: list[str]) -> None:
        self.summary = summary
        self.log = log
        self.report = report_of(run, summary)

    def record(self, name: CheckName) -> CheckRecord:
        return next(check for check in self.report.checks if check.name is name)


async def checked(plan: CheckPlan, data: DataSet | None, limits: Limits = LIMITS) -> Checked:
    """Runs the checks, with all that comes of them."""
    log: list[str] = []
    run = Run(plan, data, limits, log.append, Progress())
    return Checked(run, await run_checks(run), log)
