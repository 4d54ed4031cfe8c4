"""The operator is killed at each write in turn; a new one must bring the same end.

Right after a write and right before the next one the cluster holds the same, so one of the two is enough.

No label is given twice and nothing untested serves on the way: `Invariants` looks at every write.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import (
    CONFIG_MAP,
    CUSTOM_MODEL,
    CUSTOM_MODEL_VERSION,
    DEPLOYMENT,
    EXECUTION_ENVIRONMENT,
    EXECUTION_ENVIRONMENT_VERSION,
    JOB,
    MODEL_LEDGER,
    MODEL_TEST,
    NETWORK_POLICY,
    SERVICE,
)
from tests.support.invariants import Invariants
from tests.support.objects import make_environment, make_gate, make_model, make_test, make_version
from tests.support.world import World
from tests.support.world_api import Write

BAD = "row 2: prediction is NaN; every prediction must be a finite number"


class Killed(BaseException):
    """The operator dies here; no handler of its own may see this."""


@dataclass
class Killer:
    """Kills the operator at its n-th write, once."""

    world: World
    at: int
    count: int = 0
    struck: str = ""

    def __post_init__(self) -> None:
        self.invariants = Invariants(self.world.api)
        self.world.api.after_write = self.after

    def after(self, write: Write) -> None:
        self.invariants.check(write)
        if write.actor == "operator" and self._is_due():
            self.struck = f"after {write}"
            raise Killed(self.struck)

    def _is_due(self) -> bool:
        self.count += 1
        return self.count == self.at


NEVER = 0
"""No write has this number."""

Step = Callable[[World], None]

LIFE: tuple[Step, ...] = (
    lambda world: world.user.apply(
        make_environment(), make_model(gate=make_gate("accuracy")), make_version("hello-1", label=None)
    ),
    lambda world: world.user.apply(make_version("hello-2", label=None, replicas=2)),
    lambda world: world.user.apply(make_version("hello-3", label=None)),
    lambda world: world.user.delete(CUSTOM_MODEL_VERSION, "hello-2"),
    lambda world: world.user.apply(make_test("by-hand", replicas=2), make_test("the-next")),
    lambda world: _starts_a_long_test(world),
    lambda world: world.user.edit(MODEL_TEST, "long", spec={"cancel": True}),
)
"""Two good versions, a third that is not, then the one that serves is taken back; tests by hand, one is canceled."""


BY_HAND = {"by-hand": "succeeded", "the-next": "succeeded", "long": "canceled"}


def _starts_a_long_test(world: World) -> None:
    world.platform.holds_jobs = True
    world.user.apply(make_test("long"))


async def _live(world: World, step: Step) -> None:
    """One step of a life, until its drain is over; whenever the operator is killed there is a new one."""
    step(world)
    await _surviving(world, world.settle)
    for _ in range(2):
        await _surviving(world, lambda: world.pass_time(20, step=20))


async def _surviving(world: World, go: Callable[[], Awaitable[None]]) -> None:
    try:
        await go()
    except Killed:
        world.api.actor = "operator"
        world.api.collect()  # which goes on, whoever died
        world.start_operator()
        await _surviving(world, world.settle)


def _end(world: World) -> dict[str, Any]:
    """What must be the same in the end: who serves, which labels, what runs, and what is said."""
    ledger = world.get(MODEL_LEDGER, "hello")["spec"]
    return {
        "labels": {fact["name"]: fact["label"] for fact in ledger["versions"]},
        "verdicts": {fact["name"]: fact.get("verdict", {}).get("result") for fact in ledger["versions"]},
        "serving": ledger["serving"]["name"],
        "promotions": [(promotion["label"]) for promotion in ledger["promotions"]],
        "selector": world.get(SERVICE, "hello")["spec"]["selector"],
        "deployments": {m["metadata"]["name"]: m["spec"]["replicas"] for m in world.all(DEPLOYMENT)},
        "tests": {m["metadata"]["name"]: m["status"]["overallStatus"] for m in world.all(MODEL_TEST)},
        "turn": ledger.get("testing", {}).get("name"),
        "made for tests": _made_for_tests(world),
        "environments": [m["spec"]["number"] for m in world.all(EXECUTION_ENVIRONMENT_VERSION)],
        "conditions": {
            (kind.name, m["metadata"]["name"]): [
                (c["type"], c["status"], c["reason"]) for c in m["status"]["conditions"]
            ]
            for kind in (CUSTOM_MODEL, CUSTOM_MODEL_VERSION, EXECUTION_ENVIRONMENT)
            for m in world.all(kind)
        },
    }


def _made_for_tests(world: World) -> list[str]:
    """What there is of tests by hand."""
    kinds = (DEPLOYMENT, SERVICE, NETWORK_POLICY, CONFIG_MAP, JOB)
    made = [(kind.name, m["metadata"]) for kind in kinds for m in world.all(kind)]
    return [f"{kind} {meta['name']}" for kind, meta in made if meta["labels"].get(labels.OF_TEST) in BY_HAND]


@pytest.mark.thorough
@pytest.mark.memory_only("each of some hundred kills needs a copy of the world before it")
async def test_killed_at_each_write_in_turn() -> None:
    before, struck = World(), set()
    before.platform.failing["hello-3"] = BAD
    for step in LIFE:
        undisturbed = before.copy()
        await _live(undisturbed, step)
        for at in range(1, len(undisturbed.writes()) + 1):
            world = before.copy()
            killer = Killer(world, at)
            await _live(world, step)
            struck.add(killer.struck)
            assert _end(world) == _end(undisturbed), f"killed {killer.struck}"
            assert not world.failures, (killer.struck, world.failures)
        before = undisturbed
    end = _end(before)
    assert end["serving"] == "hello-1"
    assert end["labels"] == {"hello-1": "1.0", "hello-2": "2.0", "hello-3": "3.0"}
    assert end["promotions"] == ["1.0", "2.0", "1.0"]
    assert {name: end["tests"][name] for name in BY_HAND} == BY_HAND
    assert end["turn"] is None
    assert "" not in struck, "a write was announced at which nobody was killed"
    assert len(struck) > 20


async def test_killed_at_some_writes() -> None:
    """The same without copies: whole lives, each from its first day, with one kill somewhere."""
    undisturbed = await _whole_life(NEVER)
    assert not undisturbed.struck
    writes = len(undisturbed.world.writes())
    for at in random.Random(1).sample(range(1, writes + 1), 2):
        killer = await _whole_life(at)
        assert _end(killer.world) == _end(undisturbed.world), f"killed {killer.struck}"
        assert not killer.world.failures, (killer.struck, killer.world.failures)
        assert killer.struck


async def _whole_life(at: int) -> Killer:
    """All steps of a life, in which the operator is killed at its n-th write."""
    world = World()
    world.platform.failing["hello-3"] = BAD
    killer = Killer(world, at)
    for step in LIFE:
        await _live(world, step)
    return killer


async def test_labels_stay_when_killed_between_the_ledger_and_the_rest() -> None:
    """A kill right after labels were given: the next operator finds them given, whatever came meanwhile."""
    world = World()

    def strike(write: Write) -> None:
        if str(write) == "create ModelLedger hello":
            raise Killed(str(write))

    world.api.after_write = strike
    versions = [make_version(name, label=None) for name in ("hello-b", "hello-a")]
    world.user.apply(make_environment(), make_model(), *versions)
    with pytest.raises(Killed):
        await world.settle()
    assert _labels(world) == {"hello-a": "1.0", "hello-b": "2.0"}

    world.user.delete(CUSTOM_MODEL_VERSION, "hello-a")
    world.user.apply(make_version("hello-0", label=None))
    world.start_operator()
    await _surviving(world, world.settle)
    assert _labels(world) == {"hello-a": "1.0", "hello-b": "2.0", "hello-0": "3.0"}


def _labels(world: World) -> dict[str, str]:
    return {fact["name"]: fact["label"] for fact in world.get(MODEL_LEDGER, "hello")["spec"]["versions"]}
