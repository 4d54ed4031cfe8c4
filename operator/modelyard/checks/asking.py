"""Asking a model again and again, even one that falls and gets up: for the checks that go on after a failure."""

from __future__ import annotations

import asyncio

from modelyard.checks.answers import Trouble
from modelyard.checks.data import Batch
from modelyard.checks.predict import ModelClient
from modelyard.checks.predictions import Predictions, judged, target_of
from modelyard.checks.run import Run
from modelyard.checks.verdicts import readiness_problem


class GoneError(Exception):
    """The model dropped a connection and was not ready again in time; `str()` says what happened."""


class Asker:
    """Asks the Service of a run for predictions. All its waiting for a fallen model together is bounded."""

    def __init__(self, run: Run, client: ModelClient) -> None:
        self._run = run
        self._client = client
        self._target = target_of(run.plan)
        self._patience = run.limits.back_seconds

    async def ask(self, what: str, batch: Batch) -> Predictions | str:
        """Good predictions, or what is wrong with the answer to `what` (as: the first batch).

        GoneError when the model fell and did not come back.
        """
        self._run.progress.expect(f"no answer to {what}")
        reply = await self._client.predict(self._run.plan.service, batch)
        found = judged(reply, batch.rows, self._target)
        if isinstance(reply, Trouble) and isinstance(found, str):
            return f"{found}; {await self._back(what, found)}"
        return found

    async def _back(self, what: str, problem: str) -> str:
        """How long the model took to be ready again."""
        progress, limits = self._run.progress, self._run.limits
        progress.expect(f"{what}: {problem}; the model was not ready again")
        fell = progress.elapsed()
        while readiness_problem(await self._client.ask_ready(self._run.plan.service)):
            if progress.elapsed() - fell >= self._patience:
                gone = f"the model was not ready again within {progress.since(fell)}"
                raise GoneError(f"{problem}; {gone}")
            await asyncio.sleep(limits.ask_interval)
        self._patience -= progress.elapsed() - fell
        back = f"the model was ready again after {progress.since(fell)}"
        self._run.log(f"{what}: {problem}; {back}")
        return back
