"""Watches lag behind answers, policies come and go, somebody wipes what is said: no pass that is needed is lost.

The half-hourly look at everything does not happen here: what a new operator would still do was lost.
"""

from __future__ import annotations

from collections import defaultdict, deque

import pytest

from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    JOB,
    MODEL_TEST,
    NETWORK_POLICY,
    SERVICE,
    Kind,
)
from modelyard.kube.errors import Forbidden, Invalid, Unavailable
from tests.passes.test_chaos import Chaos
from tests.support.moments import names
from tests.support.objects import NAMESPACE
from tests.support.world import Manifest, World, told_by_others

DENIED = (SERVICE, DEPLOYMENT, NETWORK_POLICY, CONTROLLER_REVISION, CONFIG_MAP, MODEL_TEST, JOB)
News = tuple[str, Manifest, Manifest | None]


class LateWorld(World):
    """Each kind's watch tells in order, and as late as the dice have it."""

    def __post_init__(self) -> None:
        self._late: defaultdict[Kind, deque[News]] = defaultdict(deque)
        super().__post_init__()

    def relist(self) -> None:
        """A list is later than all that was on its way."""
        self._late.clear()
        super().relist()

    async def work(self) -> int:
        """Passes until there are neither keys nor news."""
        done = await super().work()
        while any(self._late.values()):
            self._tell(0.6)
            done += await super().work()
        return done

    def _watch(self, kind: Kind, event: str, manifest: Manifest, before: Manifest | None) -> None:
        if not self.watch_is_broken:
            self._late[kind].append((event, manifest, before))

    async def _turn(self) -> None:
        self._tell(0.3)
        await super()._turn()

    def _tell(self, share: float) -> None:
        with told_by_others():
            for kind, news in self._late.items():
                while news and self._dice.random() < share:
                    super()._watch(kind, *news.popleft())


class Meddling(Chaos):
    """Chaos in which also policies deny writes for a while, and statuses are wiped."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, LateWorld)
        self._denied: set[Kind] = set()
        self.world.api.before_write = self._deny

    def _deny(self, method: str, path: str, kind: Kind, name: str) -> None:
        if kind in self._denied and method != "DELETE":
            refused = (Forbidden, Invalid, Unavailable)[len(self.told) % 3]
            raise refused(f"{method} {path}: denied by a policy")

    async def happens(self) -> None:
        """A policy comes or goes or a status does, sometimes; then something of the chaos."""
        luck = self.dice.random()
        if luck < 0.12:
            self._denied.add(self.dice.choice(DENIED))
        elif luck < 0.3:
            self._denied.clear()
        elif luck < 0.35:
            self._wipe()
        await super().happens()

    def _wipe(self) -> None:
        for kind in (CUSTOM_MODEL, CUSTOM_MODEL_VERSION):
            for name in names(self.world, kind):
                self.world.api.set_status(kind, NAMESPACE, name, {"observedGeneration": -1})

    async def rests(self) -> None:
        """Nobody denies anything any more."""
        self._denied.clear()
        await super().rests()


@pytest.mark.parametrize("seed", [21, 48])
async def test_no_pass_is_lost_however_late_its_news_come(seed: int) -> None:
    chaos = Meddling(seed)
    for _ in range(25):
        await chaos.happens()
    await chaos.rests()
    assert await chaos.left_to_do() == [], chaos.told
    assert chaos.invariants.checked > 50
