"""Several workers: started again when they end, added up, and ended in order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest

from modelyard.gateway.series import Report, Seen, Tally, report_of, total
from modelyard.gateway.settings import Settings
from modelyard.gateway.supervisor import Supervisor
from modelyard.gateway.worker import report_to_parent
from tests.support.eventually import eventually
from tests.unit.gateway.rig import gateway

ANSWERS = ("n", "m", "1", "infer", "200")
REPORT = Report(True, Tally({}, {ANSWERS: 2}), {"models": 1}, {})
KNOWING = replace(REPORT, known=frozenset({("n", "m", ""), ("n", "m", "1")}))

WORKER = """
import signal, socket, sys
FIRST
stream = socket.socket(fileno=int(sys.argv[1])).makefile("rwb")
for line in stream:
    stream.write({b"beat\\n": b"1\\n", b"report known\\n": KNOWING}.get(line, REPORT))
    stream.flush()
"""
"""A worker as far as its parent can tell."""

DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@asynccontextmanager
async def supervised(
    count: int, first: str = "", grace: float = 5.0, beat: float = 1.0
) -> AsyncIterator[Supervisor]:
    """A supervisor whose workers answer."""
    command = [sys.executable, "-S", "-E", "-c", _worker(first)]
    supervisor = Supervisor(command, count, Settings(grace_seconds=grace), margin=0.0, beat=beat)
    running = asyncio.create_task(supervisor.run())
    try:
        await all_answer(supervisor, count)
        yield supervisor
    finally:
        supervisor.end()
        await running


async def all_answer(supervisor: Supervisor, count: int) -> None:
    """Wait until all workers report."""
    await eventually(lambda: len(supervisor.pids) == count)
    reports = (await supervisor.seen()).reports
    assert [report.tally for report in reports] == [REPORT.tally] * count


async def test_a_worker_that_ends_is_started_again_and_what_it_told_still_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with supervised(2) as supervisor:
        first = supervisor.pids[0]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: supervisor.restarts == 1 and len(supervisor.pids) == 2)
        await all_answer(supervisor, 2)
        assert first not in supervisor.pids
        assert supervisor.gone.requests == {ANSWERS: 2}
        (line,) = [record for record in caplog.records if "started again" in record.getMessage()]
        assert vars(line)["code"] == -signal.SIGKILL


async def test_what_workers_told_that_are_gone_is_forgotten_with_its_version() -> None:
    async with supervised(1) as supervisor:
        supervisor.gone.add(Tally({}, {ANSWERS: 3, ("n", "m", "0", "infer", "200"): 5}))
        assert (await supervisor.seen()).rest.requests == {ANSWERS: 3}


async def test_workers_are_told_to_end() -> None:
    async with supervised(2) as supervisor:
        pids = supervisor.pids
        supervisor.end()
        assert supervisor.ending
        await eventually(lambda: not supervisor.pids)
        assert supervisor.restarts == 0
    assert not any(_is_there(pid) for pid in pids)


async def test_a_worker_that_does_not_end_is_killed() -> None:
    async with supervised(1, DEAF, grace=0.05) as supervisor:
        (pid,) = supervisor.pids
        supervisor.end()
        await eventually(lambda: not supervisor.pids)
        assert not _is_there(pid)


async def test_a_worker_that_hangs_does_not_hold_up_the_others() -> None:
    async with supervised(2) as supervisor:
        hangs = supervisor.pids[0]
        os.kill(hangs, signal.SIGSTOP)
        supervisor.patience_for_reports = 0.05
        seen = await supervisor.seen()
        assert (seen.reports, seen.rest.requests) == ([REPORT], {ANSWERS: 2}), "what it told still counts"
        os.kill(hangs, signal.SIGCONT)
        supervisor.patience_for_reports = 2.0
        await all_answer(supervisor, 2)


async def test_a_worker_that_hangs_is_killed_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(2, beat=0.05) as supervisor:
        hangs, works = supervisor.pids
        os.kill(hangs, signal.SIGSTOP)
        await eventually(lambda: supervisor.restarts == 1 and len(supervisor.pids) == 2)
        assert supervisor.missed_beats >= 8
        assert hangs not in supervisor.pids
        assert works in supervisor.pids
        assert not _is_there(hangs)
    (line,) = [vars(record) for record in caplog.records if "hangs" in record.getMessage()]
    assert line["pid"] == hangs


async def test_a_worker_that_reads_the_largest_body_neither_hangs_nor_is_unready() -> None:
    """Which takes it some seconds, and it answers nobody meanwhile."""
    async with supervised(1, beat=0.05) as supervisor:
        await eventually(lambda: supervisor.ready)
        (busy,) = supervisor.pids
        os.kill(busy, signal.SIGSTOP)
        await eventually(lambda: supervisor.missed_beats >= 7)
        assert supervisor.ready
        await eventually(lambda: supervisor.missed_beats >= 14)
        os.kill(busy, signal.SIGCONT)
        await all_answer(supervisor, 1)
        assert (supervisor.pids, supervisor.restarts) == ([busy], 0)


async def test_a_worker_that_takes_long_to_start_does_not_hang() -> None:
    async with supervised(1, "import time; time.sleep(0.3)", beat=0.025) as supervisor:
        assert supervisor.restarts == 0


async def test_whether_workers_are_ready_is_known_without_asking_them() -> None:
    async with supervised(2, beat=0.05) as supervisor:
        await eventually(lambda: supervisor.ready)
        for pid in supervisor.pids:
            os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: not supervisor.ready)


async def test_a_worker_that_is_about_to_end_still_counts() -> None:
    async with supervised(1, DEAF, grace=0.2) as supervisor:
        (pid,) = supervisor.pids
        os.kill(pid, signal.SIGSTOP)
        supervisor.patience_for_reports = 0.02
        supervisor.end()
        counted = []
        while supervisor.pids:
            counted.append(_counted(await supervisor.seen()))
        counted.append(_counted(await supervisor.seen()))
        assert set(counted) == {2}


async def test_a_worker_reports_when_asked_and_ends_with_its_parent() -> None:
    async with gateway() as rig:
        ours, theirs = socket.socketpair()
        reporting = asyncio.create_task(report_to_parent(rig.gateway, theirs.detach()))
        reader, writer = await asyncio.open_connection(sock=ours)
        assert await reader.readline() == b"1\n", "of its own accord"
        rig.routes.synced.clear()
        writer.write(b"beat\n")
        assert await reader.readline() == b"0\n"
        rig.routes.synced.set()
        writer.write(b"report\n")
        report = report_of(orjson.loads(await reader.readline()))
        assert report.ready
        writer.close()
        await reporting
        assert rig.gateway.ending


def _counted(seen: Seen) -> float:
    return total([seen.rest, *(report.tally for report in seen.reports)]).requests[ANSWERS]


def _worker(first: str) -> str:
    worker = WORKER.replace("FIRST", first)
    for name, report in (("REPORT", REPORT), ("KNOWING", KNOWING)):
        worker = worker.replace(name, repr(orjson.dumps(report.document()) + b"\n"))
    return worker


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
