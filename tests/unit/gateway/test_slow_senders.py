"""Clients that begin to send and do not go on: what they hold is given to others that need it."""

from __future__ import annotations

from modelyard.http1.server import ServerConnection
from tests.support.eventually import eventually
from tests.unit.gateway.rig import INFER, QUESTION, Client, Rig, gateway, get, model, post

SIZE = 1_000_000
HELD = 4 * SIZE
A_WHILE = 24
"""Looks, four a second: a tenth of the minute that a body has."""

LARGE = QUESTION + b" " * 100_000


async def begun(rig: Rig, size: int = SIZE) -> tuple[Client, ServerConnection]:
    """A client that sent all but the last byte of a body, and the gateway's end."""
    others, before = set(rig.gateway.server.connections), rig.gateway.server.held
    client = await rig.client()
    client.send(get(INFER, "POST", f"Content-Length: {size}\r\n") + b" " * (size - 1))
    await eventually(lambda: rig.gateway.server.held == before + size - 1)
    (served,) = rig.gateway.server.connections - others
    return client, served


async def test_who_stops_sending_gives_way_to_others_after_a_while() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        silent = [await begun(rig) for _ in range(4)]
        assert (await rig.ask(post(LARGE))).status == 503, "they may still be about to go on"
        rig.gateway.server.looks += A_WHILE + 1
        assert (await rig.ask(post(LARGE))).status == 200
        (gone,) = [client for client, served in silent if served._ended]
        reply = await gone.reply()
        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert "did not come in time" in reply.json["error"]
        assert rig.gateway.server.held == 3 * (SIZE - 1)


async def test_the_largest_gives_way_first() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        (_, small), (_, large), (_, other) = [await begun(rig, size) for size in (SIZE, 2 * SIZE, SIZE)]
        rig.gateway.server.looks += A_WHILE + 1
        assert (await rig.ask(post(LARGE))).status == 200
        assert (small._ended, large._ended, other._ended) == (False, True, False)


async def test_who_goes_on_does_not_give_way() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        sending, going = await begun(rig, 2 * SIZE)
        _, silent = await begun(rig)
        server = rig.gateway.server
        before = server.held
        client = await rig.client()
        client.send(get(INFER, "POST", f"Content-Length: {SIZE}\r\n") + b" " * 900_000)
        await eventually(lambda: server.held == before + 900_000)
        (slow,) = server.connections - {going, silent}
        server.looks += A_WHILE + 1
        client.send(b" " * 99_000)
        await eventually(lambda: slow.came_at == server.looks)
        assert (await rig.ask(post(LARGE))).status == 200
        assert (slow._ended, going._ended) == (False, True)
        sending.hang_up()


async def test_who_sends_a_little_now_and_then_gives_way() -> None:
    """A body has to come at 16 KiB a second, on average over that while."""
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        client = await rig.client()
        client.send(get(INFER, "POST", f"Content-Length: {HELD}\r\n") + b" " * (HELD - 50_000))
        server = rig.gateway.server
        await eventually(lambda: server.held == HELD - 50_000)
        (served,) = server.connections
        server.looks += A_WHILE + 1
        client.send(b" " * 100)
        await eventually(lambda: server.held == HELD - 49_900)
        assert (await rig.ask(post(LARGE))).status == 200
        assert served._ended
