"""What the checks cost, beside what the model costs that they ask: `python -m tests.bench.checks`.

CPU time of this process, which runs the checks, and of the model's, for the same predictions.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelyard.api.check_plan import CheckPlan, CheckStatus
from modelyard.checks.data import DataSet
from modelyard.checks.limits import Limits
from modelyard.checks.report import report_of
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks

LIMITS = Limits(settle_seconds=0.05, settle_interval=0.05)
_ROOT = Path(__file__).parents[2]
SIZES = ((100, 10), (1000, 10), (1000, 30), (1000, 100), (5000, 30))


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of the checks: seconds of CPU time here and in the model, and what was sent."""

    runner: float
    model: float
    rows: int
    requests: int

    @property
    def ratio(self) -> float:
        """What the runner costs for each second that the model costs."""
        return self.runner / self.model


@contextmanager
def forest() -> Iterator[str]:
    """The address of a model of realistic cost, a process of its own."""
    command = [sys.executable, "-ES", "-m", "tests.bench.forest"]
    environ = {"PORT": "0", "HOST": "127.0.0.1", "URL_PREFIX": ""}
    with subprocess.Popen(command, cwd=_ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def data_of(rows: int, columns: int) -> DataSet:
    """Random numbers, every tenth missing."""
    chance = random.Random(columns)
    return DataSet(
        {
            f"column {number}": [None if chance.random() < 0.1 else chance.random() for _ in range(rows)]
            for number in range(columns)
        }
    )


def measured(address: str, data: DataSet) -> Cost:
    """Runs all four checks on this data; they must succeed."""
    run = Run(_plan(address), data, LIMITS, lambda _line: None, Progress())
    model, here = _cpu_of(address), time.process_time()
    summary = asyncio.run(run_checks(run))
    report = report_of(run, summary)
    report.to_bytes()
    here, model = time.process_time() - here, _cpu_of(address) - model
    if summary.overall_status is not CheckStatus.SUCCEEDED:
        raise RuntimeError(f"the checks of the bench did not succeed: {summary}")
    return Cost(here, model, sum(check.rows for check in report.checks), summary.counts.requests)


def _plan(address: str) -> CheckPlan:
    return CheckPlan(
        test="bench/checks",
        model="forest",
        version="1.0",
        url_prefix="",
        service=address,
        target_type="Regression",
        target_name="y",
        timeout_seconds=600,
    )


def _cpu_of(address: str) -> float:
    with urllib.request.urlopen(f"http://{address}/cpu", timeout=30) as answer:
        return float(json.load(answer))


def main() -> None:
    """Prints one line a size of the data."""
    print("   rows  columns  requests  rows sent  runner s  model s  ratio")
    with forest() as address:
        for rows, columns in SIZES:
            cost = min(
                (measured(address, data_of(rows, columns)) for _ in range(3)), key=lambda one: one.ratio
            )
            print(
                f"{rows:7} {columns:8} {cost.requests:9} {cost.rows:10} {cost.runner:9.3f} "
                f"{cost.model:8.3f} {cost.ratio:6.0%}"
            )


if __name__ == "__main__":
    main()
