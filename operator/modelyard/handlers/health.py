"""/healthz, /readyz and /metrics, and what they rest on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelyard.handlers.metrics import Metrics
from modelyard.http1.exchange import Limits
from modelyard.http1.host import Server, bound
from modelyard.http1.pages import EXPOSITION, Page, Pages

LONGEST_LAG = 10.0
"""Seconds that the event loop may be late."""

LONGEST_STANDSTILL = 300.0
"""Seconds in which no pass may begin or end while keys wait; each pass is cut off sooner."""

_GRACE = 1.0
"""Seconds in which a probe under way is answered at the end."""

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


def standstill_check(standstill: Callable[[], float]) -> Check:
    """A health check: the queue must move, however long it is."""

    def check() -> str | None:
        seconds = standstill()
        return (
            f"keys wait, and no pass began or ended for {seconds:.0f} s"
            if seconds > LONGEST_STANDSTILL
            else None
        )

    return check


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes ask: what makes the process live, and ready."""

    live: Sequence[Check]
    ready: Sequence[Check]
    metrics: Metrics


class HealthServer:
    """Serves the probes over HTTP; `port` 0 takes any free one, no host stands for all addresses."""

    def __init__(self, health: Health, port: int, host: str | None = None) -> None:
        self._health, self._port, self._host = health, port, host
        self._server: Server | None = None

    async def start(self) -> int:
        """Begin to serve; the port. Raises OSError when it is taken."""
        address = bound(self._host or "", self._port, shared=False)
        pages = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._metrics}
        self._server = Server(Pages(pages), Limits(), tick=1.0)
        return await self._server.listen(address)

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            await self._server.close(_GRACE)

    async def _healthz(self) -> Page:
        return _said(self._health.live)

    async def _readyz(self) -> Page:
        return _said(self._health.ready)

    async def _metrics(self) -> Page:
        return Page(200, self._health.metrics.text(), EXPOSITION)


def _said(checks: Sequence[Check]) -> Page:
    problems = [problem for check in checks if (problem := check())]
    return Page(503 if problems else 200, ("\n".join(problems) or "ok").encode())
