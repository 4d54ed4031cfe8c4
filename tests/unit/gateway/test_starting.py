"""A gateway that shares its port with others takes no connection before it knows its models."""

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
from tests.unit.gateway.rig import INFER, Client, FixedRoutes, get, table


@asynccontextmanager
async def starting(routes: FixedRoutes) -> AsyncIterator[tuple[Gateway, int]]:
    """A gateway that is about to listen, and its port."""
    gateway = Gateway(routes, Settings(), About("0"))
    on = bound("127.0.0.1", 0, shared=True)
    serving = asyncio.create_task(gateway.serve(on, once_known=True))
    try:
        yield gateway, on.getsockname()[1]
    finally:
        gateway.end()
        async with asyncio.timeout(5):
            await asyncio.gather(serving, return_exceptions=True)
        on.close()


async def test_it_listens_when_it_knows_its_models() -> None:
    routes = FixedRoutes(Table({}, "default"))
    async with starting(routes) as (gateway, port):
        await routes.runs.wait()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        routes.publish(table())
        async with asyncio.timeout(5):
            await gateway.server.listening.wait()
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        assert (await client.ask(get(INFER.removesuffix("/infer")))).status == 200
        client.hang_up()


async def test_it_can_be_ended_before() -> None:
    routes = FixedRoutes(Table({}, "default"))
    async with starting(routes) as (gateway, _):
        await routes.runs.wait()
    assert not gateway.server.listening.is_set()
    assert gateway.ending


async def test_routes_that_fail_before_end_it() -> None:
    routes = Failing(Table({}, "default"))
    gateway = Gateway(routes, Settings(), About("0"))
    with bound("127.0.0.1", 0, shared=True) as on, pytest.raises(ValueError, match="no routes"):
        async with asyncio.timeout(5):
            await gateway.serve(on, once_known=True)


class Failing(FixedRoutes):
    """Routes that never come."""

    async def run(self) -> None:
        """Fail."""
        raise ValueError("no routes")
