"""Check `errorCheck`: a good prediction for every row of the data set, asked for through the Service."""

from __future__ import annotations

from modelyard.checks.answers import named_rows
from modelyard.checks.data import DataSet
from modelyard.checks.notes import Notes
from modelyard.checks.predict import ModelClient
from modelyard.checks.predictions import predictions_problem, target_of
from modelyard.checks.run import Run
from modelyard.checks.verdicts import Failed, Passed, Verdict


async def error_check(run: Run, client: ModelClient, data: DataSet, notes: Notes) -> Verdict:
    """Sends all rows in batches, one after another, and ends at the first batch that is not all right."""
    target = target_of(run.plan)
    sent = client.predictions_sent
    notes.facts.update(dataRows=data.rows, batchRows=run.limits.batch_rows)
    for batch in data.batches(run.limits.batch_rows):
        run.progress.expect(f"no answer to the prediction of {named_rows(batch.rows)}")
        reply = await client.predict(run.plan.service, batch)
        if problem := predictions_problem(reply, batch.rows, target):
            where, _, what = problem.partition(": ")
            notes.find(where, what)
            return Failed(problem)
        run.progress.rows += len(batch.rows)
        run.log(f"{run.progress.rows} of {data.rows} rows predicted")
    requests = client.predictions_sent - sent
    return Passed(f"{data.rows} rows predicted in {requests} {'request' if requests == 1 else 'requests'}")
