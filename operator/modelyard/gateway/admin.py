"""/healthz, /readyz and /metrics of a gateway, on a port of their own."""

from __future__ import annotations

from typing import Protocol

from modelyard.gateway.exposition import exposition
from modelyard.gateway.series import Report, Tally
from modelyard.http1.pages import EXPOSITION, Page, Pages


class Overseen(Protocol):
    """Whose probes these are."""

    @property
    def ending(self) -> bool:
        """Whether it was told to end."""

    @property
    def gone(self) -> Tally:
        """What workers counted that are no more."""

    @property
    def restarts(self) -> int:
        """How often a worker was started again."""

    async def reports(self) -> list[Report]:
        """One of each worker that answers."""


def admin_pages(overseen: Overseen) -> Pages:
    """The Handler of the probes."""

    async def healthz() -> Page:
        return Page(200, b"ok")

    async def readyz() -> Page:
        if overseen.ending:
            return Page(503, b"the gateway is about to end")
        if not any(report.ready for report in await overseen.reports()):
            return Page(503, b"the routes are not known yet")
        return Page(200, b"ok")

    async def metrics() -> Page:
        text = exposition(await overseen.reports(), overseen.gone, overseen.restarts)
        return Page(200, text, EXPOSITION)

    return Pages({"/healthz": healthz, "/readyz": readyz, "/metrics": metrics})
