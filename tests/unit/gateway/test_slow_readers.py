"""Clients that leave answers unread, or read them slowly: what they hold is bounded, and so is how long."""

from __future__ import annotations

import asyncio
import socket

from modelyard.http1.server import ServerConnection
from tests.support.eventually import eventually
from tests.unit.gateway.rig import Rig, answered, gateway, get, model, post

HELD = 10_000_000
ROWS = 60_000
LARGE = answered(b'{"predictions":[%b]}' % b",".join([b"1.2345678901234567"] * ROWS))
"""Becomes an answer of over a megabyte."""

MANY = b'{"inputs":[{"name":"area","shape":[%d],"datatype":"INT8","data":[%b]}]}' % (
    ROWS,
    b",".join([b"1"] * ROWS),
)


async def ended_in(rig: Rig, on: socket.socket) -> ServerConnection:
    """The gateway's end, whose system takes little."""
    await eventually(lambda: on.getsockname() in peers(rig))
    served = rig.served(on)
    served._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return served


async def unread(rig: Rig, on: socket.socket) -> ServerConnection:
    """Ask for a large answer; the gateway's end, where it lies unread."""
    served = await ended_in(rig, on)
    await asyncio.get_running_loop().sock_sendall(on, post(MANY))
    await eventually(lambda: served.stalled)
    return served


def peers(rig: Rig) -> list[object]:
    """The clients' ends."""
    return [one._transport.get_extra_info("peername") for one in rig.gateway.server.connections]


def filled(rig: Rig, size: int) -> int:
    """As if others held so many bytes."""
    rig.gateway.server.held += size
    return size


async def read(on: socket.socket, size: int) -> None:
    """Read so many bytes, or a few more."""
    async with asyncio.timeout(5):
        while size > 0:
            size -= len(await asyncio.get_running_loop().sock_recv(on, 20_000))


async def test_who_leaves_much_unread_is_cut_off_once_others_need_the_room() -> None:
    async with model(LARGE, answered()) as behind, gateway([behind.address], held_bytes=HELD) as rig:
        with await rig.deaf() as on:
            slow = await unread(rig, on)
            others = filled(rig, HELD - 500_000)
            assert (await rig.ask(post())).status == 503, "it may still be about to read"
            slow.stalled_at -= 3.1
            assert (await rig.ask(post())).status == 200
            await eventually(lambda: slow not in rig.gateway.server.connections)
        assert rig.gateway.server.held == others


async def test_a_body_too_is_taken_once_those_who_do_not_read_are_cut_off() -> None:
    async with model(LARGE, answered()) as behind, gateway([behind.address], held_bytes=HELD) as rig:
        with await rig.deaf() as on:
            slow = await unread(rig, on)
            slow.stalled_at -= 3.1
            others = filled(rig, HELD - 500_000)
            client = await rig.client()
            client.send(post(MANY)[:-1])
            await eventually(lambda: slow not in rig.gateway.server.connections)
            await eventually(lambda: rig.gateway.server.held == others + len(MANY) - 1)


async def test_who_holds_the_most_is_cut_off_first_and_no_more_of_them_than_need_be() -> None:
    async with model(LARGE, LARGE, answered()) as behind, gateway([behind.address], held_bytes=HELD) as rig:
        with await rig.deaf() as first, await rig.deaf() as second:
            less, most = await unread(rig, first), await unread(rig, second)
            await read(first, 200_000)
            for one in (less, most):
                one.stalled_at -= 3.1
            others = filled(rig, HELD - 1_300_000)
            assert (await rig.ask(post())).status == 200
            await eventually(lambda: most not in rig.gateway.server.connections)
            assert less in rig.gateway.server.connections
            assert rig.gateway.server.held == others + less._transport.get_write_buffer_size()


async def test_nobody_is_cut_off_for_what_was_read_meanwhile() -> None:
    async with model(LARGE, answered()) as behind, gateway([behind.address], held_bytes=HELD) as rig:
        with await rig.deaf() as on:
            slow = await unread(rig, on)
            slow.stalled_at -= 3.1
            filled(rig, HELD - 500_000)
            await read(on, 900_000)
            assert (await rig.ask(post())).status == 200
            assert slow in rig.gateway.server.connections
            assert slow.stalled


async def test_an_answer_that_joins_others_unread_counts_as_held_too() -> None:
    """It was under way when they were written, at the end of the turn, since yet another was."""
    async with model() as behind, gateway([behind.address]) as rig:
        behind.hold.clear()
        busy = await rig.client()
        busy.send(post())
        await eventually(lambda: behind.asked)
        with await rig.deaf() as on:
            slow = await ended_in(rig, on)
            on.send(get("/v2/openapi.json") + post())
            await eventually(lambda: slow.stalled and len(behind.asked) == 2)
            before = rig.gateway.server.held
            behind.hold.set()
            await eventually(lambda: slow._turn is None)
            assert rig.gateway.server.held - before > 100
            assert (await busy.reply()).status == 200
            assert rig.gateway.server.held == slow._transport.get_write_buffer_size()


async def test_an_answer_has_to_be_read_at_some_rate() -> None:
    """16 KiB a second: 164,000 bytes in ten."""
    async with model(LARGE) as behind, gateway([behind.address], write_seconds=10.0) as rig:
        with await rig.deaf() as on:
            slow = await unread(rig, on)
            await read(on, 300_000)
            slow.write_deadline = 0.0
            slow.expire()
            assert not slow._transport.is_closing()
            assert rig.gateway.server.held == slow._transport.get_write_buffer_size(), "it is counted anew"
            await read(on, 50_000)
            slow.write_deadline = 0.0
            slow.expire()
            await eventually(lambda: slow not in rig.gateway.server.connections)
