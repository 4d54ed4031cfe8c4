"""A gateway that is told to end: not ready, then finished, then gone."""

from __future__ import annotations

import pytest

from modelyard.gateway.settings import Settings
from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, gateway, get, model, post


async def test_what_is_under_way_is_finished_and_nothing_new_is_taken() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        busy, idle = await rig.client(), await rig.client()
        assert (await idle.ask(LIVE)).status == 200
        busy.send(post())
        await eventually(lambda: behind.asked)
        rig.gateway.end()
        assert await idle.closed()
        with pytest.raises(OSError):
            await rig.client()
        behind.hold.set()
        reply = await busy.reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await busy.closed()


async def test_before_it_ends_it_goes_on_for_a_while_and_says_that_it_is_not_ready() -> None:
    async with model() as behind, gateway([behind.address], Settings(drain_seconds=0.2)) as rig:
        client = await rig.client()
        assert (await client.ask(get("/v2/health/ready"))).status == 200
        rig.gateway.end()
        assert (await client.ask(get("/v2/health/ready"))).status == 503
        late = await rig.ask(post())
        assert (late.status, late.headers["connection"]) == (200, "close")


async def test_what_does_not_finish_within_the_grace_is_cut_off() -> None:
    async with model(None) as behind, gateway([behind.address], Settings(grace_seconds=0.05)) as rig:
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        rig.gateway.end()
        assert await client.closed()
        await eventually(lambda: behind.connections == 0)
        assert rig.engine.in_flight == 0
