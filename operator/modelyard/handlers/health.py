"""/healthz, /readyz and /metrics, and what they rest on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from modelyard.handlers.metrics import Metrics

LONGEST_LAG = 10.0
"""Seconds that the event loop may be late."""

OLDEST_HEAD = 300.0
"""Seconds that the head of the queue may wait; a pass is cut off sooner."""

Check = Callable[[], str | None]
"""What is wrong, in one line; None when nothing is."""


class LagMeter:
    """How late the event loop is: code that blocks it shows here."""

    def __init__(self, period: float = 1.0) -> None:
        self.lag = 0.0
        self._period = period

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(self._period)
            self.lag = max(0.0, loop.time() - began - self._period)

    def check(self) -> str | None:
        """A health check."""
        return f"the event loop is {self.lag:.0f} s late" if self.lag > LONGEST_LAG else None


def silence_check(what: str, silent_for: Callable[[], float | None], limit: float) -> Check:
    """A health check: a watch must show a sign of life; None = it has not begun, which is no fault."""

    def check() -> str | None:
        silence = silent_for()
        return f"{what}: silent for {silence:.0f} s" if silence is not None and silence > limit else None

    return check


def head_check(head_age: Callable[[], float]) -> Check:
    """A health check: the queue must move."""

    def check() -> str | None:
        age = head_age()
        return f"the head of the queue has waited for {age:.0f} s" if age > OLDEST_HEAD else None

    return check


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes ask: what makes the process live, and ready."""

    live: Sequence[Check]
    ready: Sequence[Check]
    metrics: Metrics


class HealthServer:
    """Serves the probes over HTTP; `port` 0 takes any free one."""

    def __init__(self, health: Health, port: int, host: str | None = None) -> None:
        application = web.Application()
        application.router.add_get("/healthz", _answer(health.live))
        application.router.add_get("/readyz", _answer(health.ready))
        application.router.add_get("/metrics", _exposition(health.metrics))
        self._runner = web.AppRunner(application, access_log=None)
        self._port, self._host = port, host

    async def start(self) -> int:
        """Begin to serve; the port. Raises OSError when it is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Serve no more."""
        await self._runner.cleanup()


_Handler = Callable[[web.Request], Awaitable[web.Response]]


def _answer(checks: Sequence[Check]) -> _Handler:
    async def answer(request: web.Request) -> web.Response:
        problems = [problem for check in checks if (problem := check())]
        return web.Response(text="\n".join(problems) or "ok", status=503 if problems else 200)

    return answer


def _exposition(metrics: Metrics) -> _Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    return answer
