"""Runs the checks of a plan in their order, within its time, and rolls them up."""

from __future__ import annotations

import asyncio

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckStatus, CheckSummary
from modelyard.checks.error_check import error_check
from modelyard.checks.long_running_service import long_running_service
from modelyard.checks.predict import ModelClient, model_client
from modelyard.checks.run import Run
from modelyard.checks.verdicts import Failed, Verdict


async def run_checks(run: Run) -> CheckSummary:
    """The summary of all checks, before the budget of the plan's time has passed.

    When the first check fails the others are `aborted`. `run.progress` tells how far it came if cancelled.
    """
    deadline = asyncio.get_running_loop().time() + run.limits.budget(run.plan.timeout_seconds)
    deadline -= run.progress.elapsed()
    _log_givens(run)
    async with model_client(run.plan.url_prefix, run.limits) as client:
        for name in CheckName:
            run.log(f"{name} begins")
            try:
                outcome = await _outcome(run, client, name, deadline)
            finally:
                run.progress.requests = client.predictions_sent
            run.progress.outcomes[name] = outcome
            run.log(f"{name} {outcome.status}: {outcome.message}")
            if _has_failed(outcome) and client.connections_lost:
                await _aftermath(run, deadline)
    return run.progress.summary()


async def _outcome(run: Run, client: ModelClient, name: CheckName, deadline: float) -> CheckOutcome:
    if _is_skipped(run, name):
        return CheckOutcome(status=CheckStatus.SKIPPED, message="Skipped as configured")
    if failed := [before for before, outcome in run.progress.outcomes.items() if _has_failed(outcome)]:
        return CheckOutcome(status=CheckStatus.ABORTED, message=f"Not run: {failed[0]} failed")
    run.progress.waiting_for = lambda: "none was left for this check"
    try:
        async with asyncio.timeout_at(deadline):
            verdict = await _verdict(run, client, name)
    except TimeoutError:
        verdict = Failed(_deadline_message(run))
    status = CheckStatus.FAILED if isinstance(verdict, Failed) else CheckStatus.SUCCEEDED
    return CheckOutcome(status=status, message=_sentence(verdict.message))


async def _verdict(run: Run, client: ModelClient, name: CheckName) -> Verdict:
    if name is CheckName.LONG_RUNNING_SERVICE:
        return await long_running_service(run, client)
    if run.data is None:
        return Failed("there is no data set; errorCheck needs one, or must be skipped")
    return await error_check(run, client, run.data)


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


def _is_skipped(run: Run, name: CheckName) -> bool:
    return name is CheckName.ERROR_CHECK and run.plan.configuration.error_check == "skip"


def _has_failed(outcome: CheckOutcome) -> bool:
    return outcome.status is CheckStatus.FAILED


def _deadline_message(run: Run) -> str:
    return f"the time for the test ({run.plan.timeout_seconds} s) is over: {run.progress.waiting_for()}"


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
