"""Runs the checks of a plan in their order, within its time, and rolls them up."""

from __future__ import annotations

import asyncio

from modelyard.api.check_plan import (
    ON_GOOD_PREDICTIONS,
    CheckName,
    CheckOutcome,
    CheckStatus,
    CheckSummary,
)
from modelyard.checks.error_check import error_check
from modelyard.checks.long_running_service import long_running_service
from modelyard.checks.notes import Notes
from modelyard.checks.null_value_imputation import null_value_imputation
from modelyard.checks.predict import ModelClient, model_client
from modelyard.checks.run import Run
from modelyard.checks.side_effects import side_effects
from modelyard.checks.verdicts import Failed, Verdict, word_for

_OF_DATA = {
    CheckName.ERROR_CHECK: error_check,
    CheckName.NULL_VALUE_IMPUTATION: null_value_imputation,
    CheckName.SIDE_EFFECTS: side_effects,
}


async def run_checks(run: Run) -> CheckSummary:
    """The summary of all checks, before the budget of the plan's time has passed.

    A check whose premise failed is `aborted`. `run.progress` tells how far it came if cancelled.
    """
    deadline = asyncio.get_running_loop().time() + run.limits.budget(run.plan.timeout_seconds)
    deadline -= run.progress.elapsed()
    _log_givens(run)
    async with model_client(run.plan.url_prefix, run.limits) as client:
        for name in CheckName:
            await _run_one(run, client, name, deadline)
    return run.progress.summary()


async def _run_one(run: Run, client: ModelClient, name: CheckName, deadline: float) -> None:
    if outcome := _not_run(run, name):
        _end(run, name, outcome)
        return
    run.log(f"{name} begins")
    notes = run.progress.notes[name] = Notes(begun=run.progress.elapsed())
    rows, requests = client.rows_sent, client.predictions_sent
    lost = client.connections_lost
    try:
        outcome = await _outcome(run, client, name, deadline, notes)
    finally:
        notes.duration_seconds = round(run.progress.elapsed() - notes.begun, 3)
        notes.rows, notes.requests = client.rows_sent - rows, client.predictions_sent - requests
        run.progress.requests = client.predictions_sent
    _end(run, name, outcome)
    if outcome.status is not CheckStatus.SUCCEEDED and client.connections_lost > lost:
        await _aftermath(run, deadline)


def _end(run: Run, name: CheckName, outcome: CheckOutcome) -> None:
    run.progress.outcomes[name] = outcome
    run.log(f"{name} {outcome.status}: {outcome.message}")
    run.ended(name, outcome)


def _not_run(run: Run, name: CheckName) -> CheckOutcome | None:
    """Why a check is left out, if it is: by configuration, for want of data, or for what failed before."""
    if run.plan.configuration.severity(name) == "skip":
        return CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped as configured")
    if name in ON_GOOD_PREDICTIONS and run.data is None:
        return CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped: there is no data set to predict on")
    if _failed(run, CheckName.LONG_RUNNING_SERVICE):
        return CheckOutcome(status=CheckStatus.ABORTED, message="Not run: longRunningService failed")
    if name in ON_GOOD_PREDICTIONS and _failed(run, CheckName.ERROR_CHECK):
        message = "Not run: errorCheck failed, and without good predictions there is nothing to compare"
        return CheckOutcome(status=CheckStatus.ABORTED, message=message)
    return None


async def _outcome(
    run: Run, client: ModelClient, name: CheckName, deadline: float, notes: Notes
) -> CheckOutcome:
    run.progress.waiting_for = lambda: "none was left for this check"
    try:
        async with asyncio.timeout_at(deadline):
            verdict = await _verdict(run, client, name, notes)
    except TimeoutError:
        verdict = Failed(_deadline_message(run, name, notes))
    status = word_for(verdict, run.plan.configuration.severity(name))
    return CheckOutcome(status=status, message=_sentence(verdict.message))


async def _verdict(run: Run, client: ModelClient, name: CheckName, notes: Notes) -> Verdict:
    if name is CheckName.LONG_RUNNING_SERVICE:
        return await long_running_service(run, client, notes)
    if run.data is None:
        return Failed(f"there is no data set; {name} needs one, or must be skipped")
    return await _OF_DATA[name](run, client, run.data, notes)


async def _aftermath(run: Run, deadline: float) -> None:
    """Lets the kubelet say first what ended the model, if something did."""
    seconds = min(run.limits.aftermath_seconds, deadline - asyncio.get_running_loop().time())
    if seconds > 0:
        run.log(f"a connection was lost: {seconds:.1f} s for word of what ended the model")
        await asyncio.sleep(seconds)


def _log_givens(run: Run) -> None:
    plan = run.plan
    rows = f"{run.data.rows} rows" if run.data else "no data"
    run.log(f"test {plan.test} of model {plan.model} {plan.version}: {plan.timeout_seconds} s, {rows}")
    for replica in plan.replicas:
        run.log(f"replica {replica.name} is pod {replica.uid} at {replica.address}")


def _failed(run: Run, name: CheckName) -> bool:
    outcome = run.progress.outcomes.get(name)
    return outcome is not None and outcome.status is CheckStatus.FAILED


def _deadline_message(run: Run, name: CheckName, notes: Notes) -> str:
    sentences = [
        f"the time for the test ({run.plan.timeout_seconds} s) is over: {run.progress.waiting_for()}"
    ]
    if name in ON_GOOD_PREDICTIONS and _is_only_slow(run, notes):
        sentences.append("the model answers, but slowly: give timeoutSeconds more, or sampleRows less")
    if notes.findings:
        first = notes.findings[0]
        sentences.append(f"found before that: {first.where}: {first.message}")
    return "; ".join(sentences)


def _is_only_slow(run: Run, notes: Notes) -> bool:
    """Whether the last question was waited for shorter than the others together, so that the model does not hang."""
    now = run.progress.elapsed()
    return now - run.progress.asked < run.progress.asked - notes.begun


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
