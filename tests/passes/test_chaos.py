"""Users, administrators and a dying operator do as they please; what must hold, holds all the while.

Held at every write by `Invariants`, and here: what serves never stops, the world comes to rest, and a new
operator finds nothing to do.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    Kind,
)
from modelyard.manifests.service import NOBODY
from tests.support.invariants import Invariants
from tests.support.moments import names
from tests.support.objects import make_environment, make_gate, make_model, make_test, make_version
from tests.support.world import World
from tests.support.world_api import Write

BAD = "row 2: prediction is NaN; every prediction must be a finite number"
CHILDREN = (CONFIG_MAP, DEPLOYMENT, SERVICE, NETWORK_POLICY, POD_DISRUPTION_BUDGET, MODEL_TEST, POD)


class Chaos:
    """A world in which anything that users and administrators may do happens, by the dice."""

    def __init__(self, seed: int, make: type[World] = World) -> None:
        self.dice = random.Random(seed)
        self.world = make(seed=seed, overlap=self.dice.choice([1, 16]))
        self.invariants = Invariants(self.world.api)
        self.world.api.after_write = self._look
        self.has_served = False
        self.told: list[str] = []
        self.count = 0
        self.world.user.apply(make_environment(), make_model())

    def _look(self, write: Write) -> None:
        self.invariants.check(write)
        if write.kind != "Service" or write.name != "hello" or write.after is None:
            return
        selected = write.after["spec"]["selector"][labels.SERVES]
        assert not (self.has_served and write.actor == "operator" and selected == NOBODY), self.told
        self.has_served = self.has_served or selected != NOBODY

    def _version(self) -> None:
        self.count += 1
        dice, name = self.dice, f"hello-{self.count}"
        if dice.random() < 0.3:
            self.world.platform.failing[name] = BAD
        elif dice.random() < 0.2:
            self.world.platform.behaviour[name] = "crashes"
        label = dice.choice([None, f"{self.count}.0"])
        replicas, major = dice.choice([1, 2]), dice.random() < 0.7
        self.world.user.apply(make_version(name, label=label, replicas=replicas, isMajorUpdate=major))

    def _by_hand(self) -> None:
        """A test of some version, or of one that there never was."""
        self.count += 1
        versions = [*names(self.world, CUSTOM_MODEL_VERSION), "nobody"]
        asked = {"replicas": self.dice.choice([None, 2]), "timeoutSeconds": self.dice.choice([60, 600])}
        name = f"check-{self.count}"
        if self.dice.random() < 0.2:
            self.world.platform.behaviour[name] = self.dice.choice(["crashes", "unschedulable"])
        self.world.user.apply(make_test(name, versionRef={"name": self.dice.choice(versions)}, **asked))

    def _cancel(self) -> None:
        tests = names(self.world, MODEL_TEST)
        if tests:
            self.world.user.edit(MODEL_TEST, self.dice.choice(tests), spec={"cancel": True})

    def _delete(self, *kinds: Kind) -> None:
        found = [
            (kind, name)
            for kind in kinds
            for name in names(self.world, kind)
            if kind != CONTROLLER_REVISION or not self._serves(name)
        ]
        if found:
            self.world.user.delete(*self.dice.choice(found))

    def _serves(self, record: str) -> bool:
        ledgers = self.world.all(MODEL_LEDGER)
        serving = ledgers[0]["spec"].get("serving") if ledgers else None
        key = self.world.get(CONTROLLER_REVISION, record)["data"]["key"]
        return serving is not None and serving["key"] == key

    def _model(self) -> None:
        gate = self.dice.choice(
            [None, make_gate("accuracy"), make_gate("accuracy", "drift", timeoutSeconds=60)]
        )
        self.world.user.apply(make_model(gate=gate))

    def _environment(self) -> None:
        self.world.user.apply(
            make_environment(image=f"registry.example/envs/python-{self.dice.randrange(3)}:1")
        )

    def _restart(self) -> None:
        self.world.start_operator()

    def _blind(self) -> None:
        self.world.watch_is_broken = True

    def _see(self) -> None:
        self.world.watch_is_broken = False
        self.world.relist()

    def _hold(self) -> None:
        self.world.platform.holds_jobs = not self.world.platform.holds_jobs

    async def happens(self) -> None:
        """One thing, and then some time or none at all."""
        ways: list[tuple[int, Callable[[], None]]] = [
            (5, self._version),
            (4, self._by_hand),
            (1, self._cancel),
            (3, lambda: self._delete(CUSTOM_MODEL_VERSION)),
            (3, lambda: self._delete(*CHILDREN)),
            (1, lambda: self._delete(CONTROLLER_REVISION)),
            (2, self._model),
            (2, self._environment),
            (2, self._restart),
            (1, self._blind),
            (2, self._see),
            (2, self._hold),
        ]
        weights = [weight for weight, _ in ways]
        _, way = self.dice.choices(ways, weights)[0]
        self.told.append(getattr(way, "__name__", "?"))
        way()
        match self.dice.randrange(4):
            case 0:
                await self.world.work()
            case 1:
                await self.world.settle()
            case 2:
                await self.world.pass_time(self.dice.choice([5, 35]), step=35)
            case _:
                pass

    async def rests(self) -> None:
        """Nobody does anything any more."""
        self.world.platform.holds_jobs = False
        self._see()
        await self.world.settle()
        for _ in range(12):  # what was broken is noticed at its deadline, if not before
            await self.world.pass_time(120, step=60)

    async def left_to_do(self, later: float = 0) -> list[str]:
        """What an operator that starts now writes, at once and until so many seconds later."""
        before = len(self.world.api.writes)
        self.world.overlap = 1
        self.world.start_operator()
        await self.world.settle()
        if later:
            await self.world.pass_time(later, step=later / 4)
        return [str(write) for write in self.world.writes(since=before)]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_nothing_untested_serves_and_what_serves_goes_on(seed: int) -> None:
    chaos = Chaos(seed)
    world = chaos.world
    for _ in range(30):
        await chaos.happens()
    await chaos.rests()
    assert await chaos.left_to_do(later=1200) == [], chaos.told
    serving = world.get(CUSTOM_MODEL, "hello")["status"].get("serving")
    assert (serving is not None) == chaos.has_served
    if serving:
        slices = world.get(ENDPOINT_SLICE, "hello-slice")["endpoints"]
        assert any(endpoint["conditions"]["ready"] for endpoint in slices), chaos.told
    for version in world.all(CUSTOM_MODEL_VERSION):
        ready = world.condition(CUSTOM_MODEL_VERSION, version["metadata"]["name"])
        assert ready[0] == "True" or ready[1] in ("TestsFailed", "LabelTaken"), (version, chaos.told)
    assert world.condition(CUSTOM_MODEL, "hello")[0] != "Unknown", chaos.told
    _no_test_waits_for_ever(chaos)
    keys = [m["metadata"]["labels"][labels.OF_VERSION] for m in world.all(DEPLOYMENT)]
    assert len(keys) == len(set(keys)), "no version has a second Deployment"
    assert {type(error).__name__ for _, error in world.failures} <= {"Conflict", "AlreadyExists"}
    assert chaos.invariants.checked > 50


def _no_test_waits_for_ever(chaos: Chaos) -> None:
    """Each has ended, or says what is missing; no turn is held and no copy is left."""
    ledgers = chaos.world.all(MODEL_LEDGER)
    assert not any("testing" in ledger["spec"] for ledger in ledgers), chaos.told
    for test in chaos.world.all(MODEL_TEST):
        if "completedAt" not in test["status"]:
            (ready,) = (c for c in test["status"]["conditions"] if c["type"] == "Ready")
            assert ready["reason"] in ("VersionNotFound", "WaitingForVersion", "CodeLost"), (test, chaos.told)
    copies = [
        m["metadata"]["name"]
        for m in chaos.world.all(DEPLOYMENT)
        if labels.OF_TEST in m["metadata"]["labels"]
    ]
    assert copies == [], chaos.told
