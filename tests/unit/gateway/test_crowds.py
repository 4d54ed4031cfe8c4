"""More clients than there may be connections: who is idle gives way, and who finds no place is counted."""

from __future__ import annotations

from modelyard.gateway.exposition import Health, exposition
from modelyard.gateway.series import Tally
from modelyard.http1.server import ServerConnection
from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, Client, Rig, gateway, model, post


async def connected(rig: Rig) -> tuple[Client, ServerConnection]:
    """A client, and the gateway's end."""
    before = set(rig.gateway.server.connections)
    client = await rig.client()
    await eventually(lambda: rig.gateway.server.connections - before)
    (served,) = rig.gateway.server.connections - before
    return client, served


async def test_the_one_that_is_idle_longest_gives_way_to_a_newcomer() -> None:
    async with gateway(connections=3) as rig:
        first, second, third = [(await connected(rig))[0] for _ in range(3)]
        assert (await first.ask(LIVE)).status == 200
        assert (await rig.ask(LIVE)).status == 200
        assert await second.closed()
        assert (await first.ask(LIVE)).status == 200
        assert (await third.ask(LIVE)).status == 200
        assert rig.gateway.server.refused == 0
        await eventually(lambda: len(rig.gateway.server.connections) == 3)


async def test_each_of_several_newcomers_finds_another_that_is_idle() -> None:
    async with gateway(connections=4) as rig:
        old = [(await connected(rig))[0] for _ in range(4)]
        new = [await rig.client() for _ in range(3)]
        assert [(await client.ask(LIVE)).status for client in new] == [200] * 3
        assert [await client.closed() for client in old[:3]] == [True] * 3
        assert (await old[3].ask(LIVE)).status == 200


async def test_where_nobody_is_idle_a_newcomer_is_refused_and_counted() -> None:
    async with model() as behind, gateway([behind.address], connections=2) as rig:
        waiting = await rig.waiting(behind)
        begun, served = await connected(rig)
        begun.send(LIVE[:-1])
        await eventually(lambda: served._parsing is not None)
        assert await (await rig.client()).closed()
        assert rig.gateway.server.refused == 1
        shown = exposition([rig.gateway.report()], Tally(), Health()).decode()
        assert "\nmodelyard_gateway_refused_connections_total 1.0\n" in shown
        behind.hold.set()
        assert (await waiting.reply()).status == 200
        begun.send(LIVE[-1:])
        assert (await begun.reply()).status == 200
        looks = rig.gateway.server.looks
        await eventually(lambda: rig.gateway.server.looks > looks)
        assert (await rig.ask(post())).status == 200
