"""Routes that change while a request is on its way: its headers are there, its body is not."""

from __future__ import annotations

from modelyard.gateway.route import Table
from tests.unit.gateway.rig import (
    LIVE,
    QUESTION,
    Client,
    Rig,
    gateway,
    model,
    post,
    table,
    unused_address,
)

HEAD = post(headers="Expect: 100-continue\r\n").removesuffix(QUESTION)


async def with_headers_read(rig: Rig) -> Client:
    """A client whose headers the gateway has read."""
    client = await rig.client()
    assert (await client.ask(HEAD)).status == 100
    return client


async def test_a_body_goes_to_the_pods_that_there_are_when_it_has_come() -> None:
    async with model() as before, model() as after, gateway([before.address]) as rig:
        client = await with_headers_read(rig)
        rig.routes.publish(table(after.address, label="2"))
        reply = await client.ask(QUESTION)
        assert (reply.status, reply.json["model_version"]) == (200, "2")
        assert (len(before.asked), len(after.asked)) == (0, 1)
        assert rig.counted == {("default", "flats", "2", "infer", "200"): 1}


async def test_a_model_that_is_gone_when_the_body_has_come_is_not_asked() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await with_headers_read(rig)
        rig.routes.publish(Table({}, "default"))
        assert (await client.ask(QUESTION)).status == 404
        assert behind.asked == []
        assert rig.engine.in_flight == 0


async def test_a_model_that_came_when_the_body_was_thrown_away_is_not_asked_without_it() -> None:
    async with model() as behind, gateway(Table({}, "default")) as rig:
        client = await rig.client()
        assert (await client.ask(LIVE + post()[:-10])).status == 200
        rig.routes.publish(table(behind.address))
        reply = await client.ask(post()[-10:])
        assert reply.status == 404
        assert behind.asked == []


async def test_what_is_under_way_of_a_model_that_went_and_came_back_is_counted_once() -> None:
    async with model() as behind, gateway([unused_address()]) as rig:
        client = await with_headers_read(rig)
        rig.routes.publish(Table({}, "default"))
        rig.routes.publish(table(unused_address(), behind.address))
        assert (await client.ask(QUESTION)).status == 200
        assert {load.in_flight for load in rig.engine.lanes.loads.values()} == {0}
