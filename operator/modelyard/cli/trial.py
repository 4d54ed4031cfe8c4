"""One model tried on this machine: started, watched, checked, ended, judged."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from modelyard.api.check_plan import CheckName, CheckPlan, CheckStatus
from modelyard.api.check_report import CheckReport
from modelyard.checks.data import DataSet
from modelyard.checks.limits import Limits
from modelyard.checks.report import report_of
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks
from modelyard.cli.model_options import Asked, plan_of
from modelyard.cli.output_files import KeptLog
from modelyard.cli.terminal import Terminal
from modelyard.local.diagnosis import Seen, doubts, port_problem, problem_of
from modelyard.local.environment import Identity, Place, variables
from modelyard.local.judgement import with_doubts, with_end, with_fault
from modelyard.local.process import Launch, ModelProcess, running
from modelyard.local.workspace import Workspace

_HOST = "127.0.0.1"

_LOOK_SECONDS = 0.5
"""Between two looks at where a server listens that is not ready."""

_LAST_WORDS_SECONDS = 2.0
"""For the check that runs to notice by itself that the server ended, and at which row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for, in seconds."""

    hint: float = 3.0
    """When it is told where a server listens that is not ready."""

    elsewhere: float = 60.0
    """For how long it may listen elsewhere and not on its port, before it is taken for its mistake: some serve
    their metrics while they load. What was seen is said at once."""

    grace: float = 5.0
    """Between SIGTERM and SIGKILL. A pod gives more; here somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One model to try, and how."""

    asked: Asked
    data: DataSet | None
    command: Sequence[str]
    space: Workspace
    terminal: Terminal
    log: KeptLog
    """Where all that the model prints is kept."""

    limits: Limits
    patience: Patience

    def show(self, line: str) -> None:
        """Take one line that the model printed."""
        self.terminal.echo(line)
        self.log.write(line)


async def tried(trial: Trial) -> CheckReport:
    """The report of a trial; when it is there, or the trial was cancelled, nothing of the model is alive."""
    port, asked, say = _free_port(), trial.asked, trial.terminal.say
    identity = Identity(asked.name, asked.label, asked.model)
    checking = _Checking(trial, plan_of(asked, "try", f"{_HOST}:{port}", identity.prefix))
    say(f"starting {shlex.join(trial.command)} with PORT={port} URL_PREFIX={identity.prefix}")
    async with running(_launch(trial, identity, port), trial.show) as model:
        await checking.until_over(model, port)
        seen = _seen(trial, model, port, was_ready=checking.was_ready)
        say("ending the model")
    report = report_of(checking.run, checking.run.progress.summary())
    if problem := problem_of(seen):
        report = _with(problem, report, seen, checking.current())
    changed = trial.space.changed()
    return with_doubts(report, doubts(changed, was_killed=model.was_killed, grace=trial.patience.grace))


def _with(problem: str, report: CheckReport, seen: Seen, during: CheckName) -> CheckReport:
    if not seen.has_ended:
        return with_fault(report, problem)
    return with_end(report, problem, CheckName.LONG_RUNNING_SERVICE if seen.is_no_service else during)


class _Checking:
    """The checks of a trial, which end when the server does: none can go well any more."""

    def __init__(self, trial: Trial, plan: CheckPlan) -> None:
        self._one_ended = asyncio.Event()
        self._patience = trial.patience
        self._startup_seconds = trial.asked.startup_seconds
        self._elsewhere: str | None = None
        """Where the server listens, once that is past hope."""

        self.run = Run(
            plan,
            trial.data,
            trial.limits,
            trial.terminal.say,
            Progress(),
            lambda _name, _outcome: self._one_ended.set(),
            self._hopeless,
        )

    @property
    def was_ready(self) -> bool:
        """Whether the server got ready and stayed up."""
        outcome = self.run.progress.outcomes.get(CheckName.LONG_RUNNING_SERVICE)
        return outcome is not None and outcome.status is CheckStatus.SUCCEEDED

    def current(self) -> CheckName:
        """The check that runs, or that ran last."""
        return list(self.run.progress.notes)[-1]

    async def until_over(self, model: ModelProcess, port: int) -> None:
        """Return when the checks have ended or the server has, which the check that runs may notice first."""
        checks = asyncio.create_task(run_checks(self.run))
        over = asyncio.create_task(model.over.wait())
        look = asyncio.create_task(self._look(model, port))
        try:
            await asyncio.wait({checks, over}, return_when=asyncio.FIRST_COMPLETED)
            if not checks.done() and self.current() not in self.run.progress.outcomes and self.was_ready:
                await self._last_words()
            if checks.done():
                await checks
        finally:
            for task in (checks, over, look):
                task.cancel()
            await asyncio.gather(checks, over, look, return_exceptions=True)

    async def _last_words(self) -> None:
        self._one_ended.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._one_ended.wait()

    def _hopeless(self) -> str | None:
        """Why it makes no sense to wait on for a server that is not ready."""
        if self._elsewhere is None and self.run.progress.elapsed() >= self._startup_seconds:
            return f"the version's startup.timeoutSeconds gives it {self._startup_seconds:g} s"
        return self._elsewhere

    async def _look(self, model: ModelProcess, port: int) -> None:
        """Sees that a server listens elsewhere: the checks could only wait for it."""
        began = since = self.run.progress.elapsed()
        told = False
        while self._elsewhere is None and not self.was_ready:
            await asyncio.sleep(min(_LOOK_SECONDS, self._patience.elsewhere / 4))
            now, found = self.run.progress.elapsed(), model.listeners()
            problem = port_problem(port, found)
            if not (problem and found):
                since = now
            if problem and now - since >= self._patience.elsewhere:
                self._elsewhere = problem
            elif problem and not told and now - began >= self._patience.hint:
                self.run.log(f"not ready yet: {problem}")
                told = True


def _seen(trial: Trial, model: ModelProcess, port: int, *, was_ready: bool) -> Seen:
    return Seen(
        command=trial.command,
        first_line=_first_line(trial),
        start_error=model.start_error,
        exit=model.exit,
        tail=tuple(model.tail),
        was_ready=was_ready,
        port=port,
        listeners=model.listeners(),
    )


def _launch(trial: Trial, identity: Identity, port: int) -> Launch:
    space = trial.space
    place = Place(port, space.code, space.home, os.environ.get("PATH", os.defpath))
    return Launch(
        command=trial.command,
        folder=space.code,
        environment=variables(identity, trial.asked.variables, place),
        grace=trial.patience.grace,
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])


def _first_line(trial: Trial) -> bytes:
    """The first line of the file that is started, where it is one of the model's."""
    path = trial.space.code / trial.command[0]
    if not path.is_relative_to(trial.space.code) or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.readline(200).removesuffix(b"\n")
