"""/healthz, /readyz and /metrics of a gateway, on a port of their own."""

from __future__ import annotations

from typing import Protocol

from modelyard.gateway.exposition import exposition
from modelyard.gateway.series import Seen
from modelyard.http1.pages import EXPOSITION, Page, Pages


class Overseen(Protocol):
    """Whose probes these are."""

    @property
    def ending(self) -> bool:
        """Whether it was told to end."""

    @property
    def ready(self) -> bool:
        """Whether it takes requests; costs nothing to tell."""

    @property
    def restarts(self) -> int:
        """How often a worker was started again."""

    async def seen(self) -> Seen:
        """What its workers say of themselves."""


def admin_pages(overseen: Overseen) -> Pages:
    """The Handler of the probes."""

    async def healthz() -> Page:
        return Page(200, b"ok")

    async def readyz() -> Page:
        if overseen.ending:
            return Page(503, b"the gateway is about to end")
        if not overseen.ready:
            return Page(503, b"the routes are not known yet")
        return Page(200, b"ok")

    async def metrics() -> Page:
        seen = await overseen.seen()
        return Page(200, exposition(seen.reports, seen.rest, overseen.restarts), EXPOSITION)

    return Pages({"/healthz": healthz, "/readyz": readyz, "/metrics": metrics})
