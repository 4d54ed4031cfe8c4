"""What is answered in one turn of the loop is written together: to whom it belongs, in order, and before any end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, Client, Rig, gateway, model, post

LAST = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@asynccontextmanager
async def busy() -> AsyncIterator[tuple[Rig, Client]]:
    """A gateway that waits for a model's answer to one client, and another client."""
    async with model() as stub, gateway([stub.address]) as rig:
        stub.hold.clear()
        waiting = await rig.client()
        waiting.send(post())
        await eventually(lambda: stub.asked)
        yield rig, await rig.client()
        stub.hold.set()
        assert (await waiting.reply()).status == 200


async def test_each_of_many_clients_that_ask_at_once_gets_its_own_answer() -> None:
    async with model() as stub, gateway([stub.address]) as rig:
        clients = [await rig.client() for _ in range(40)]
        for _ in range(3):
            for number, client in enumerate(clients):
                client.send(post(_question(number)))
            replies = [await client.reply() for client in clients]
            assert [reply.json["id"] for reply in replies] == [f"q{number}" for number in range(40)]
        assert len(stub.asked) == 120


def _question(number: int) -> bytes:
    one = {"name": "area", "shape": [1], "datatype": "FP64", "data": [float(number)]}
    return json.dumps({"id": f"q{number}", "inputs": [one]}).encode()


async def test_answers_to_requests_in_a_row_keep_their_order_up_to_the_last() -> None:
    async with busy() as (_, client):
        client.send(LIVE + LIVE.replace(b"live", b"other") + LAST)
        assert [(await client.reply()).status for _ in range(3)] == [200, 404, 200]
        assert await client.closed()


async def test_a_client_that_asks_no_more_still_gets_its_answer() -> None:
    async with busy() as (_, client):
        client.send(LIVE)
        client.writer.write_eof()
        assert (await client.rest()).startswith(b"HTTP/1.1 200 ")


async def test_a_large_answer_stays_behind_the_small_one_before_it() -> None:
    async with busy() as (_, client):
        openapi = LIVE.replace(b"health/live", b"openapi.json")
        client.send(LIVE + openapi + LIVE)
        first, second, third = [(await client.reply()).json for _ in range(3)]
        assert first == third
        assert "paths" in second


async def test_nothing_counts_as_under_way_when_all_have_gone() -> None:
    async with model() as stub, gateway([stub.address]) as rig:
        stub.hold.clear()
        gone, patient = await rig.client(), await rig.client()
        for client in (gone, patient):
            client.send(post())
        await eventually(lambda: len(stub.asked) == 2)
        assert rig.gateway.server.under_way == 2

        gone.writer.transport.abort()
        stub.hold.set()
        assert (await patient.reply()).status == 200
        await eventually(lambda: len(rig.gateway.server.connections) == 1)

        assert rig.gateway.server.under_way == 0
