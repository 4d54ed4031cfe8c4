"""What the checks cost: requests and rows by a formula, CPU time by its ratio to the model's own."""

from __future__ import annotations

import math

import pytest

from modelyard.api.check_plan import CheckName
from modelyard.checks.limits import Limits
from tests.bench.checks import data_of, forest, measured
from tests.unit.checks.checking import LIMITS, checked, plan_for
from tests.unit.checks.conftest import PREFIX, StartModel

SAMPLE = 100
MOST = 0.30
"""CPU time that the checks may take for each second that the model takes for the same predictions."""


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (50, 2), (1000, 30), (2500, 5)])
async def test_requests_and_rows_are_bounded_by_a_formula(
    rows: int, columns: int, start_model: StartModel
) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)
    found = await checked(plan_for(address), data_of(rows, columns), LIMITS)
    assert found.summary.overall_status == "succeeded"
    sample, whole = min(SAMPLE, rows), min(rows, Limits().whole_rows)
    limits = {
        CheckName.LONG_RUNNING_SERVICE: (1, min(rows, 10)),
        CheckName.ERROR_CHECK: (math.ceil(rows / 1000), rows),
        CheckName.NULL_VALUE_IMPUTATION: (columns + 2, (columns + 2) * sample),
        CheckName.SIDE_EFFECTS: (6 + sample, 4 * whole + sample),
    }
    for name, (requests, rows_sent) in limits.items():
        record = found.record(name)
        assert (record.requests <= requests, record.rows <= rows_sent) == (True, True), record
    assert found.summary.counts.requests == sum(check.requests for check in found.report.checks)


def test_checks_cost_a_fraction_of_what_the_model_costs() -> None:
    """1,000 rows of 30 columns, the better of a few runs: other processes may disturb one, not all of them."""
    data = data_of(1000, 30)
    ratios: list[float] = []
    with forest() as address:
        while len(ratios) < 6 and min(ratios, default=1.0) > MOST:
            ratios.append(measured(address, data).ratio)
    assert min(ratios) <= MOST, ratios
