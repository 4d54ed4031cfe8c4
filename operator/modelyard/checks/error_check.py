"""Check `errorCheck`: a good prediction for every row of the data set, asked for through the Service."""

from __future__ import annotations

from modelyard.checks.data import DataSet
from modelyard.checks.predict import ModelClient
from modelyard.checks.run import Run
from modelyard.checks.verdicts import Failed, Passed, Verdict, predictions_problem, target_of


async def error_check(run: Run, client: ModelClient, data: DataSet) -> Verdict:
    """Sends all rows in batches, one after another, and ends at the first batch that is not all right."""
    target = target_of(run.plan)
    sent = client.predictions_sent
    for batch in data.batches(run.limits.batch_rows):
        _expect_answer(run, batch.rows)
        reply = await client.predict(run.plan.service, batch.body)
        if problem := predictions_problem(reply, batch.rows, target):
            return Failed(problem)
        run.progress.rows += len(batch.rows)
        run.log(f"{run.progress.rows} of {data.rows} rows predicted")
    requests = client.predictions_sent - sent
    return Passed(f"{data.rows} rows predicted in {requests} {'request' if requests == 1 else 'requests'}")


def _expect_answer(run: Run, rows: range) -> None:
    asked = run.progress.elapsed()
    named = f"row {rows[0]}" if len(rows) == 1 else f"rows {rows[0]} to {rows[-1]}"
    run.progress.waiting_for = lambda: (
        f"no answer to the prediction of {named} for {run.progress.since(asked)}"
    )
