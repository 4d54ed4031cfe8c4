"""Pods of a model that are killed, hang, are replaced and rolled while requests go on at a steady rate.

A request's only value is its number, and a version adds 1000000 for each of its majors: so an answer tells whose
it is, and which version gave it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.conftest import ECHO_SPEC, Chaos
from tests.gateway.load import Load, Seen
from tests.gateway.running import Document, Gateway, column, gateway, model, write_routes
from tests.gateway.servers import ECHO, Pod, Server, started
from tests.support.eventually import eventually

pytestmark = pytest.mark.chaos

RATE = 200.0
"""Requests a second."""

STEP = 1_000_000.0
FIRST_BYTE = 1.0
"""Seconds for a model to begin its answer, in these tests."""

PROMPT = 1.5
"""Seconds in which what need not wait has ended, on a machine that does other things as well."""


class Stage:
    """Pods that come and go, and a gateway that knows of some of them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._started = 0
        self.routes = folder / "routes.json"
        self.record = folder / "record"
        """What every pod was asked, a line a request."""

    def pod(self, label: str = "1.0", port: int | None = None, **own: str) -> Pod:
        self._started += 1
        server = Server(ECHO, "echo", ECHO_SPEC).version(
            label, OFFSET=str(STEP * float(label)), RECORD=str(self.record), **own
        )
        return self._stack.enter_context(started(server, self._folder / f"home-{self._started}", port))

    def gateway(self, *pods: Pod, workers: int = 1) -> Gateway:
        write_routes(self.routes, [model(*pods)])
        options = (f"--first-byte-timeout={FIRST_BYTE}", "--access-log-sample=0", f"--workers={workers}")
        return self._stack.enter_context(gateway(self.routes, *options))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, stack)


@pytest.fixture
def under_load() -> Callable[[Gateway], Load]:
    return lambda front: Load(front.base, RATE)


@asynccontextmanager
async def all_right(load: Load, *, allowed: tuple[int, ...] = ()) -> AsyncIterator[Load]:
    """Every answer of the load is right, or one of the statuses that are allowed; none is missing."""
    async with load:
        yield load
    assert wrong(load.seen) == []
    assert {one.status for one in load.seen} <= {200, *allowed}, faults(load.seen)
    assert sorted(one.number for one in load.seen) == list(range(len(load.seen)))


def wrong(seen: list[Seen]) -> list[Seen]:
    """Answers that belong to another request, or to another version than they say."""
    return [one for one in seen if one.status == 200 and one.value != one.number + STEP * major(one)]


def unless_under_way(failed: list[Seen], killed: float, dead: float) -> list[Seen]:
    """Those that a process which was killed, and was dead a moment later, cannot have had."""
    return [one for one in failed if one.sent > dead or one.ended < killed]


def major(one: Seen) -> float:
    return float(one.document["model_version"])


def faults(seen: list[Seen]) -> list[Seen]:
    return [one for one in seen if one.status != 200]


async def test_a_killed_pod_fails_only_what_it_was_answering(
    stage: Stage, under_load: Callable[[Gateway], Load], chaos: Chaos
) -> None:
    first, second = stage.pod(), stage.pod()
    front = stage.gateway(first, second)

    async with all_right(under_load(front), allowed=(503,)) as load:
        await load.going_on(chaos.time(0.5, share=0.05))
        killed = time.monotonic()
        await asyncio.to_thread(first.kill)
        dead = time.monotonic()
        await load.going_on(chaos.time(1.5, share=0.05))

    failed = faults(load.seen)
    assert unless_under_way(failed, killed, dead) == []
    assert all(one.ended < killed + PROMPT for one in failed)
    assert all("broke off" in one.document["error"] for one in failed)


async def test_a_pod_that_hangs_costs_few_requests_a_bounded_time_until_it_goes_on(
    stage: Stage, under_load: Callable[[Gateway], Load], chaos: Chaos
) -> None:
    first, second = stage.pod(), stage.pod()
    front = stage.gateway(first, second)

    async with all_right(under_load(front), allowed=(504,)) as load:
        hung = time.monotonic()
        first.hang()
        await load.going_on(chaos.time(2.5, share=0.05))
        first.go_on()
        went_on = time.monotonic()
        await load.going_on(1.0)

    failed = faults(load.seen)
    assert all(one.ended - one.sent < FIRST_BYTE + PROMPT for one in load.seen)
    assert 1 <= len(failed) <= 0.1 * len(load.since(hung))
    assert [one for one in failed if one.sent > went_on] == []


async def test_a_dead_model_is_told_at_once_and_answers_again_when_it_is_back(
    stage: Stage, under_load: Callable[[Gateway], Load], chaos: Chaos
) -> None:
    pod = stage.pod()
    front = stage.gateway(pod)

    async with all_right(under_load(front), allowed=(503,)) as load:
        await asyncio.to_thread(pod.kill)
        dead = time.monotonic()
        await load.going_on(chaos.time(1.0, share=0.05))
        before = len(load.seen)
        await asyncio.to_thread(stage.pod, "1.0", pod.port)
        await load.until(lambda: any(one.status == 200 for one in load.seen[before:]), within=10)
        back = time.monotonic()
        await load.going_on(1.0)

    while_dead = [one for one in load.seen[:before] if one.sent > dead]
    assert while_dead
    assert {one.status for one in while_dead} == {503}
    assert all(one.retry_after and one.ended - one.sent < PROMPT for one in while_dead)
    assert faults(load.since(back)) == []


async def test_replacing_every_pod_fails_nothing(
    stage: Stage, under_load: Callable[[Gateway], Load], chaos: Chaos
) -> None:
    """As a cluster does it: the new pod is ready, the old one leaves the routes, then it is told to end."""
    pod = stage.pod()
    front = stage.gateway(pod)

    async with all_right(under_load(front)) as load:
        end = time.monotonic() + chaos.time(0)
        while True:
            successor = await asyncio.to_thread(stage.pod)
            front.route([model(successor)])
            await load.going_on(1.5)  # The file is looked at once a second.
            pod.send(signal.SIGTERM)
            await asyncio.to_thread(pod.process.wait)
            pod = successor
            if time.monotonic() >= end:
                break
        await load.going_on(0.5)


async def test_rolling_from_version_to_version_fails_nothing(
    stage: Stage, under_load: Callable[[Gateway], Load], chaos: Chaos
) -> None:
    one, two = stage.pod("1.0"), stage.pod("2.0")
    front = stage.gateway(one, two)

    async with all_right(under_load(front)) as load:
        end = time.monotonic() + chaos.time(0)
        serving = "1.0"
        while True:
            serving = "2.0" if serving == "1.0" else "1.0"
            front.route([model(one, two, serving=serving)])
            await load.until(lambda label=serving: load.seen[-1].document["model_version"] == label)  # type: ignore[misc]
            flipped = time.monotonic()
            await load.going_on(0.3)
            assert {seen.document["model_version"] for seen in load.since(flipped)} == {serving}
            if time.monotonic() >= end:
                break


def test_an_answer_in_two_parts_does_not_wait_for_an_acknowledgement(stage: Stage) -> None:
    """A server that writes head and body apart sends the second when the first was acknowledged, which Linux puts
    off for 40 ms. Python's own does so, and many models are made with it."""
    in_one, in_two = (median(stage.gateway(pod)) for pod in (stage.pod(), stage.pod(APART="yes")))

    assert in_two < 10 * in_one


def median(front: Gateway) -> float:
    """Seconds that a request takes, of 40 on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
    body = json.dumps({"inputs": [column("value", [1.0])]})
    times = []
    for _ in range(40):
        began = time.perf_counter()
        connection.request("POST", "/v2/models/echo/infer", body)
        assert connection.getresponse().read()
        times.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(times)


async def test_a_killed_worker_breaks_only_its_connections_and_another_takes_its_place(
    stage: Stage, chaos: Chaos
) -> None:
    front = stage.gateway(stage.pod(), workers=2)
    await eventually(lambda: front.listening() == 2)
    victim, survivor = front.workers()

    async with all_right(Load(front.base, RATE, keeps=False), allowed=(0,)) as load:
        await load.going_on(0.5)
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: front.listening() == 1)
        dead = time.monotonic()
        await eventually(lambda: len({*front.workers()} - {victim, survivor}) == 1, within=10)
        await load.going_on(chaos.time(1.0, share=0.05))

    failed = faults(load.seen)
    assert unless_under_way(failed, killed, dead) == []
    assert all(one.ended < killed + PROMPT for one in failed)
    assert survivor in front.workers()


async def test_a_gateway_that_is_told_to_end_finishes_what_it_began(stage: Stage) -> None:
    front = stage.gateway(stage.pod())
    asked = [
        asyncio.create_task(asyncio.to_thread(front.ask, "POST", "/v2/models/echo/infer", doing("sleep 0.5")))
        for _ in range(4)
    ]
    await eventually(lambda: stage.record.exists() and stage.record.read_text().count("sleep") == 4)

    front.process.send_signal(signal.SIGTERM)
    answers = await asyncio.gather(*asked)

    assert [answer.status for answer in answers] == [200] * 4
    assert await asyncio.to_thread(front.process.wait, 10) == 0


async def test_a_model_whose_client_closed_is_asked_no_longer(stage: Stage) -> None:
    front = stage.gateway(stage.pod())
    body = json.dumps(doing("wait")).encode()
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        head = f"POST /v2/models/echo/infer HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        await eventually(lambda: stage.record.exists() and "wait" in stage.record.read_text())

    await eventually(lambda: stage.record.read_text().endswith("\nclosed\n"))
    assert front.infer("echo", column("value", [1.0])).status == 200


def doing(deed: str) -> Document:
    """A request by which a model does something."""
    return {"inputs": [column("value", [7.0]), column("do", [deed], "BYTES")]}
