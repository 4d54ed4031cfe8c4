"""Passes overlap: 16 run at once, and each may be held up at any request. The end must be the same.

What no order may do is held by `Invariants` at each write: no label twice, nothing untested serves.
"""

from __future__ import annotations

import pytest

from modelyard.api.kinds import CUSTOM_MODEL, CUSTOM_MODEL_VERSION, DEPLOYMENT, MODEL_LEDGER
from tests.support.invariants import Invariants
from tests.support.moments import names
from tests.support.objects import make_environment, make_gate, make_model, make_test, make_version
from tests.support.world import World

BAD = "row 2: prediction is NaN; every prediction must be a finite number"


@pytest.mark.parametrize("seed", range(2))
async def test_passes_that_overlap_come_to_the_same_end(seed: int) -> None:
    world = World(seed=seed, overlap=16)
    invariants = Invariants(world.api)
    world.platform.failing["hello-3"] = BAD
    gate = make_gate("accuracy")
    world.user.apply(make_environment(), make_model(gate=gate), make_version("hello-1", label=None))
    await world.settle()
    world.user.apply(make_version("hello-2", label=None, replicas=2))
    world.user.apply(make_environment(image="registry.example/envs/other:2"))
    await world.pass_time(40, step=20)
    world.user.apply(
        make_test("a", versionRef={"name": "hello-2"}), make_test("b", replicas=2), make_test("c")
    )
    world.user.apply(make_version("hello-3", label=None))
    world.user.delete(CUSTOM_MODEL_VERSION, "hello-1")
    await world.pass_time(40, step=20)
    ledger = world.get(MODEL_LEDGER, "hello")["spec"]
    assert {fact["name"]: fact["label"] for fact in ledger["versions"]} == {
        "hello-1": "1.0",
        "hello-2": "2.0",
        "hello-3": "3.0",
    }
    assert ledger["serving"]["name"] == "hello-2"
    assert world.condition(CUSTOM_MODEL, "hello") == ("False", "CandidateRejected")
    assert [name.rpartition("-")[0] for name in names(world, DEPLOYMENT)] == ["hello-2", "hello-3"]
    assert [m["spec"]["replicas"] for m in world.all(DEPLOYMENT)] == [2, 0]
    assert invariants.checked > 50
    world.overlap = 1
    before = len(world.api.writes)
    world.start_operator()
    await world.settle()
    assert world.writes(since=before) == []
    assert {type(error).__name__ for _, error in world.failures} <= {"Conflict"}
