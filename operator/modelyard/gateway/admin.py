"""/healthz, /readyz and /metrics of a gateway, on a port of their own."""

from __future__ import annotations

from typing import Protocol

from modelyard.gateway.exposition import Health, exposition
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

    @property
    def missed_beats(self) -> int:
        """How often a worker did not say in time that it lives."""

    async def seen(self) -> Seen:
        """What its workers say of themselves."""


def admin_pages(overseen: Overseen) -> Pages:
    """The Handler of the probes."""

    failed = 0

    async def healthz() -> Page:
        return Page(200, b"ok")

    async def readyz() -> Page:
        nonlocal failed
        reason = _unready(overseen)
        if reason is None:
            return Page(200, b"ok")
        failed += 1
        return Page(503, reason)

    async def metrics() -> Page:
        seen = await overseen.seen()
        health = Health(overseen.restarts, overseen.missed_beats, failed)
        return Page(200, exposition(seen.reports, seen.rest, health), EXPOSITION)

    return Pages({"/healthz": healthz, "/readyz": readyz, "/metrics": metrics})


def _unready(overseen: Overseen) -> bytes | None:
    """Why it takes no requests; None: it does."""
    if overseen.ending:
        return b"the gateway is about to end"
    return None if overseen.ready else b"the routes are not known yet"
