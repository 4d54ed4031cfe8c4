"""Probes tell the truth: what hangs, lags or piles up makes them fail; metrics can be read."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from modelyard.api.kinds import CUSTOM_MODEL, POD
from modelyard.handlers.health import Check, Health, HealthServer, LagMeter, silence_check, standstill_check
from modelyard.handlers.metrics import Metrics
from modelyard.kube.lists import Scope
from modelyard.kube.requests import Request


async def ask(path: str, *, live: list[Check], ready: list[Check], metrics: Metrics) -> tuple[int, str]:
    server = HealthServer(Health(live, ready, metrics), 0, "127.0.0.1")
    port = await server.start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}") as answer,
        ):
            return answer.status, await answer.text()
    finally:
        await server.stop()


async def test_probes_answer_ok_when_nothing_is_wrong() -> None:
    for path in ("/healthz", "/readyz"):
        answer = await ask(path, live=[lambda: None], ready=[], metrics=Metrics())
        assert answer == (200, "ok")


async def test_probes_name_all_that_is_wrong_and_only_what_they_are_asked_for() -> None:
    live: list[Check] = [lambda: "first", lambda: None, lambda: "second"]

    assert await ask("/healthz", live=live, ready=[], metrics=Metrics()) == (503, "first\nsecond")
    assert await ask("/readyz", live=live, ready=[], metrics=Metrics()) == (200, "ok")


async def test_metrics_are_in_the_exposition_format() -> None:
    metrics = Metrics()
    metrics.passed(CUSTOM_MODEL, "settled", 0.02)
    for request, code in ((Request("list", POD), 200), (Request("other", None), 0)):
        metrics.requested(request, None, 0.0)
        metrics.requested(request, code, 0.1)
    metrics.requested(Request("watch", POD), None, 0.0)
    metrics.watch_restarted(Scope(POD))
    metrics.gauge("queue_depth", "Depth", lambda: 7.0)
    metrics.gauge_by_kind("cached_objects", "Objects", [POD, CUSTOM_MODEL], lambda kind: len(kind.name))

    status, text = await ask("/metrics", live=[], ready=[], metrics=metrics)

    assert status == 200
    for line in (
        'modelyard_passes_total{kind="CustomModel",outcome="settled"} 1.0',
        'modelyard_pass_seconds_count{kind="CustomModel"} 1.0',
        'modelyard_api_requests_total{code="200",kind="Pod",verb="list"} 1.0',
        'modelyard_api_requests_total{code="0",kind="other",verb="other"} 1.0',
        'modelyard_watch_restarts_total{kind="Pod"} 1.0',
        "modelyard_api_requests_unanswered 1.0",
        "modelyard_queue_depth 7.0",
        'modelyard_cached_objects{kind="Pod"} 3.0',
        'modelyard_cached_objects{kind="CustomModel"} 11.0',
    ):
        assert line in text.splitlines()
    assert "_created" not in text


async def test_a_port_that_is_taken_is_an_error() -> None:
    health = Health([], [], Metrics())
    first = HealthServer(health, 0, "127.0.0.1")
    port = await first.start()
    second = HealthServer(health, port, "127.0.0.1")

    with pytest.raises(OSError, match="Address already in use"):
        await second.start()
    await second.stop()
    await first.stop()


async def test_code_that_blocks_the_loop_shows_as_lag() -> None:
    meter = LagMeter(period=0.05)
    task = asyncio.create_task(meter.run())
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - this is the fault that is to be seen
    for _ in range(10):
        await asyncio.sleep(0)
    assert meter.lag > 0.2
    assert meter.check() is None
    meter.lag = 11
    assert meter.check() == "the event loop is 11 s late"
    task.cancel()


@pytest.mark.parametrize(
    ("silence", "expected"), [(None, None), (0.0, None), (9.9, None), (11.0, "watch of Pod: silent for 11 s")]
)
def test_a_watch_must_show_a_sign_of_life(silence: float | None, expected: str | None) -> None:
    assert silence_check("watch of Pod", lambda: silence, 10)() == expected


def test_a_queue_must_move() -> None:
    assert standstill_check(lambda: 299.0)() is None
    assert standstill_check(lambda: 301.0)() == "keys wait, and no pass began or ended for 301 s"
