"""A gateway that is told to end: not ready, then finished, then gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from modelyard.gateway.engine import About
from modelyard.gateway.route import Table
from modelyard.gateway.serving import Gateway
from modelyard.gateway.settings import Settings
from modelyard.http1.host import bound
from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, Client, FixedRoutes, gateway, get, model, post, table


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


async def test_when_the_routes_fail_what_is_under_way_is_finished_before_it_ends() -> None:
    async with model() as behind, failing_routes(table(behind.address)) as (gateway, routes, port):
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        behind.hold.clear()
        client.send(post())
        await eventually(lambda: behind.asked)
        routes.fails.set()
        await eventually(lambda: not gateway.engine.ready)
        behind.hold.set()
        assert (await client.reply()).status == 200
        assert await client.closed()
        client.hang_up()


class FailingRoutes(FixedRoutes):
    """Routes that fail when told to."""

    def __init__(self, known: Table) -> None:
        super().__init__(Table({}))
        self.fails = asyncio.Event()
        self.publish(known)

    async def run(self) -> None:
        """Fail."""
        await self.fails.wait()
        raise ValueError("the routes fail")


@asynccontextmanager
async def failing_routes(known: Table) -> AsyncIterator[tuple[Gateway, FailingRoutes, int]]:
    """A gateway that ends with what its routes raised, and its port."""
    routes = FailingRoutes(known)
    gateway = Gateway(routes, Settings(grace_seconds=5), About("0"))
    on = bound("127.0.0.1", 0, shared=False)
    serving = asyncio.create_task(gateway.serve(on))
    async with asyncio.timeout(5):
        await gateway.server.listening.wait()
    try:
        yield gateway, routes, on.getsockname()[1]
    finally:
        with pytest.raises(ValueError, match="the routes fail"):
            await serving
