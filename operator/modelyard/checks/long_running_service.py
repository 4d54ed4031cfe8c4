"""Check `longRunningService`: every replica gets ready, stays up and takes data, alone and by the Service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelyard.api.check_plan import CheckPlan
from modelyard.checks.answers import Reply, Trouble
from modelyard.checks.data import Batch
from modelyard.checks.notes import Notes
from modelyard.checks.predict import ModelClient
from modelyard.checks.predictions import predictions_problem, target_of
from modelyard.checks.run import Run
from modelyard.checks.verdicts import Failed, Passed, Verdict, is_strange, readiness_problem


@dataclass(frozen=True, slots=True)
class _Server:
    """Something that answers for the model: a replica, or the Service."""

    title: str
    address: str


async def long_running_service(run: Run, client: ModelClient, notes: Notes) -> Verdict:
    """Waits for readiness until it is cancelled; everything after that fails at the first sign of trouble."""
    replicas, service = _replicas(run.plan), _service(run.plan)
    notes.facts.update(replicas=len(replicas), settleSeconds=run.limits.settle_seconds)
    problem = (
        await _gets_ready(run, client, replicas)
        or await _gets_ready(run, client, service)
        or await _stays_up(run, client, [*replicas, *service])
    )
    if problem:
        return Failed(problem)
    ready = f"{_count(replicas)} answered and stayed up"
    if run.data is None:
        return Passed(f"{ready}; there was no data to send")
    first = run.data.first(run.limits.first_rows)
    replies: dict[_Server, Reply] = {}
    problem = await _takes_data(run, client, replicas, first, replies) or await _takes_data(
        run, client, service, first, replies
    )
    if problem:
        return Failed(problem)
    verdict = _compared(run, replies, first, notes)
    if isinstance(verdict, Failed):
        return verdict
    problem = await _still_up(client, [*replicas, *service], "after the first data")
    return Failed(problem) if problem else Passed(f"{ready}; {verdict.message}")


def _replicas(plan: CheckPlan) -> list[_Server]:
    return [_Server(f"replica {one.name} ({one.address})", one.address) for one in plan.replicas]


def _service(plan: CheckPlan) -> list[_Server]:
    """None when it is one of the replicas, which is asked anyway."""
    if not plan.replicas:
        return [_Server(f"model {plan.service}", plan.service)]
    if plan.service in {replica.address for replica in plan.replicas}:
        return []
    return [_Server(f"Service {plan.service}", plan.service)]


async def _gets_ready(run: Run, client: ModelClient, servers: Sequence[_Server]) -> str | None:
    """None once all have said "ready"; a problem when one gives a strange status for long."""
    last: dict[_Server, str] = dict.fromkeys(servers, "not asked yet")
    strange_since: dict[_Server, float] = {}
    begun = run.progress.elapsed()
    run.progress.waiting_for = lambda: f"not ready after {run.progress.since(begun)}: {_listed(last)}"
    while last:
        for server, reply in zip(list(last), await _ask_all(client, list(last)), strict=True):
            problem = readiness_problem(reply)
            _log_change(run, server, last[server], problem)
            if problem is None:
                del last[server]
                continue
            last[server] = problem
            if not is_strange(reply):
                strange_since.pop(server, None)
                continue
            since = strange_since.setdefault(server, run.progress.elapsed())
            if run.progress.elapsed() - since >= run.limits.strange_seconds:
                return f"{server.title}: {problem} for {run.progress.since(since)}; {_expected(run)}"
        if last and (why := run.hopeless()):
            return f"{run.progress.waiting_for()}; {why}"
        if last:
            await asyncio.sleep(run.limits.ask_interval)
    return None


async def _stays_up(run: Run, client: ModelClient, servers: Sequence[_Server]) -> str | None:
    """Asks all again and again for the settle window; None when every answer was "ready"."""
    begun = run.progress.elapsed()
    run.progress.waiting_for = lambda: f"all were ready, but not for {run.limits.settle_seconds:g} s yet"
    while (since := run.progress.elapsed() - begun) < run.limits.settle_seconds:
        await asyncio.sleep(min(run.limits.settle_interval, run.limits.settle_seconds - since))
        if problem := await _still_up(client, servers, f"{run.progress.since(begun)} later"):
            return problem
    run.log(f"all stayed up for {run.limits.settle_seconds:g} s")
    return None


async def _still_up(client: ModelClient, servers: Sequence[_Server], when: str) -> str | None:
    for server, reply in zip(servers, await _ask_all(client, servers), strict=True):
        if problem := readiness_problem(reply):
            return f"{server.title} was ready, but {when}: {problem}; the model must stay up"
    return None


async def _takes_data(
    run: Run, client: ModelClient, servers: Sequence[_Server], batch: Batch, replies: dict[_Server, Reply]
) -> str | None:
    """Sends the first rows to each; a problem when one does not answer at all."""
    await _send(run, client, servers, batch, replies)
    for server in servers:
        if isinstance(reply := replies[server], Trouble):
            return f"{server.title}, sent {_rows(batch)}: {reply.what}"
    return None


async def _send(
    run: Run, client: ModelClient, servers: Sequence[_Server], batch: Batch, replies: dict[_Server, Reply]
) -> None:
    begun = run.progress.elapsed()

    def silent() -> str:
        titles = ", ".join(server.title for server in servers if server not in replies)
        return f"no answer to {_rows(batch)} for {run.progress.since(begun)} from {titles}"

    async def send(server: _Server) -> None:
        replies[server] = await client.predict(server.address, batch)

    run.progress.waiting_for = silent
    await asyncio.gather(*(send(server) for server in servers))


def _compared(run: Run, replies: Mapping[_Server, Reply], batch: Batch, notes: Notes) -> Verdict:
    """Whether an answer is right is for the error check, unless replicas differ: then those that are wrong
    are broken."""
    target = target_of(run.plan)
    judged = {server: predictions_problem(reply, batch.rows, target) for server, reply in replies.items()}
    problems = [(server, problem) for server, problem in judged.items() if problem]
    for server, problem in problems:
        run.log(f"{server.title}: {problem}")
        notes.find(server.title, problem)
    if not problems:
        return Passed(f"{'each predicted' if len(replies) > 1 else 'it predicted'} {_rows(batch)}")
    if len(problems) < len(replies):
        server, problem = problems[0]
        return Failed(f"{server.title} does not predict as the other replicas do: {problem}")
    each = "each" if len(replies) > 1 else "it"
    return Passed(f"{each} answered when sent data, though not rightly, which errorCheck judges")


async def _ask_all(client: ModelClient, servers: Sequence[_Server]) -> list[Reply]:
    return await asyncio.gather(*(client.ask_ready(server.address) for server in servers))


def _log_change(run: Run, server: _Server, before: str, problem: str | None) -> None:
    if problem != before:
        run.log(f"{server.title}: {problem or 'ready'}")


def _expected(run: Run) -> str:
    return f"GET {run.plan.url_prefix}/ must answer 200 when ready (is URL_PREFIX respected?)"


def _listed(last: dict[_Server, str]) -> str:
    return "; ".join(f"{server.title}: {problem}" for server, problem in last.items())


def _count(replicas: Sequence[_Server]) -> str:
    if not replicas:
        return "the model"
    return "the replica" if len(replicas) == 1 else f"all {len(replicas)} replicas"


def _rows(batch: Batch) -> str:
    return "the first row" if len(batch.rows) == 1 else f"the first {len(batch.rows)} rows"
