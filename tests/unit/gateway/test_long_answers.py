"""Long answers of models: all that is kept of them at one time is held to the limit, and never counted twice."""

from __future__ import annotations

import tracemalloc

from modelyard.gateway.settings import Settings
from tests.support.eventually import eventually
from tests.unit.gateway.rig import Client, Rig, StubModel, answered, gateway, model, post

SIZE = 60_000
LONG = answered(b'{"predictions":[1.5]'.ljust(SIZE - 1) + b"}")
BEGUN = LONG[:-1]


def finish(*models: StubModel) -> None:
    """Let the models send what is missing of their answers."""
    for behind in models:
        for writer in tuple(behind.writers):
            writer.write(LONG[-1:])


async def begun(rig: Rig) -> Client:
    """A client whose model has sent all of its answer but the end."""
    client, before = await rig.client(), rig.engine.answers
    client.send(post())
    await eventually(lambda: rig.engine.answers >= before + SIZE - 1)
    return client


async def test_answers_are_held_until_they_are_given() -> None:
    async with model(BEGUN) as behind, gateway([behind.address]) as rig:
        client = await begun(rig)
        assert rig.engine.answers == SIZE - 1
        finish(behind)
        assert (await client.reply()).status == 200
        assert rig.engine.answers == 0


async def test_an_answer_for_which_there_is_no_room_is_given_up_and_the_others_are_not() -> None:
    async with model(BEGUN) as behind, gateway([behind.address], held_bytes=2 * SIZE) as rig:
        clients = [await begun(rig) for _ in range(2)]
        refused = await rig.ask(post())
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.json["error"] == (
            'model "flats" version "1": the gateway holds as much of answers as it may'
        )
        await eventually(lambda: behind.connections == 2)
        assert rig.engine.answers == 2 * (SIZE - 1)
        finish(behind)
        assert {(await client.reply()).status for client in clients} == {200}
        assert (rig.engine.answers, rig.engine.in_flight) == (0, 0)


async def test_an_answer_for_which_there_is_never_room_is_too_long() -> None:
    async with model(LONG) as behind, gateway([behind.address], held_bytes=SIZE - 1) as rig:
        reply = await rig.ask(post())
        assert (reply.status, rig.engine.answers) == (502, 0)
        assert f"larger than {SIZE - 1} bytes" in reply.json["error"]


async def test_short_answers_are_always_taken() -> None:
    short = answered(b'{"predictions":[1.5]'.ljust(16_383) + b"}")
    async with model(short[:-1]) as behind, gateway([behind.address], held_bytes=16_384) as rig:
        clients = [await rig.client() for _ in range(3)]
        for client in clients:
            client.send(post())
        await eventually(lambda: len(behind.asked) == 3)
        finish(behind)
        assert {(await client.reply()).status for client in clients} == {200}


async def test_what_a_pod_said_that_is_not_ready_is_held_no_longer_when_another_is_asked() -> None:
    unready = LONG.replace(b"200 OK", b"503 Service Unavailable")
    async with model(unready, LONG) as first, model() as second:
        second.answers = first.answers  # Whoever is asked first is unready.
        async with gateway([first.address, second.address], held_bytes=SIZE) as rig:
            assert ((await rig.ask(post())).status, rig.engine.answers) == (200, 0)


async def test_what_came_for_a_client_that_has_gone_is_held_no_longer() -> None:
    async with model(BEGUN) as behind, gateway([behind.address]) as rig:
        (await begun(rig)).hang_up()
        await eventually(lambda: rig.engine.in_flight == 0)
        assert rig.engine.answers == 0


async def test_what_came_before_it_took_too_long_is_held_no_longer() -> None:
    async with model(BEGUN) as behind, gateway([behind.address], Settings(whole_seconds=0.2)) as rig:
        assert (await (await begun(rig)).reply()).status == 504
        assert rig.engine.answers == 0


async def test_an_answer_in_many_small_chunks_takes_little_more_memory_than_its_bytes() -> None:
    size = 200_000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"2\r\n  \r\n" * (size // 2)
    whole = head + chunks + b"15\r\n" + b'{"predictions":[1.5]}' + b"\r\n0\r\n\r\n"
    async with model(head + chunks) as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        tracemalloc.start()
        try:
            client.send(post())
            await eventually(lambda: rig.engine.answers == size)
            assert tracemalloc.get_traced_memory()[0] < 2 * size + len(chunks)
        finally:
            tracemalloc.stop()
        for writer in tuple(behind.writers):
            writer.write(whole[len(head + chunks) :])
        assert (await client.reply()).status == 200
