"""Clients that send requests ahead, while an earlier one is under way: what is kept of them counts as held."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from modelyard.http1.server import ServerConnection
from tests.support.eventually import eventually
from tests.unit.gateway.rig import Client, Rig, StubModel, answered, gateway, get, model, post
from tests.unit.gateway.test_slow_readers import HELD, LARGE, ended_in, filled, unread

AHEAD = 300
"""Requests sent in a row: more than is read on for."""

TINY = b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * 500
"""Such that fit in what is parsed at once."""


@asynccontextmanager
async def asked_once() -> AsyncIterator[tuple[Rig, StubModel, Client]]:
    """A client's first request is under way."""
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        behind.hold.clear()
        client = await rig.client()
        client.send(post())
        await eventually(lambda: behind.asked)
        yield rig, behind, client


async def test_requests_sent_ahead_count_as_held_until_they_are_read() -> None:
    async with asked_once() as (rig, behind, client):
        client.send(post() * AHEAD)
        await eventually(lambda: rig.gateway.server.held > 16 * 1024)
        behind.hold.set()
        for _ in range(AHEAD + 1):
            assert (await client.reply()).status == 200
        assert rig.gateway.server.held == 0


async def test_of_a_client_that_goes_nothing_counts_any_more() -> None:
    async with asked_once() as (rig, _, client):
        client.send(post() * AHEAD)
        await eventually(lambda: rig.gateway.server.held)
        client.hang_up()
        (served,) = rig.gateway.server.connections
        served.cut()
        await eventually(lambda: not rig.gateway.server.connections)
        assert rig.gateway.server.held == 0


async def test_where_there_is_no_room_for_them_the_answer_under_way_is_the_last() -> None:
    """As a client that sends ahead has to expect: it asks again what was not answered."""
    async with asked_once() as (rig, behind, client):
        others = filled(rig, HELD)
        (served,) = rig.gateway.server.connections
        client.send(post() * AHEAD)
        await eventually(lambda: served._deaf)
        assert rig.gateway.server.held == others
        behind.hold.set()
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await client.rest() == b""
        assert len(behind.asked) == 1
        assert rig.gateway.server.held == others


async def test_who_leaves_answers_unread_sends_nothing_ahead_where_there_is_no_room() -> None:
    async with model(LARGE, answered()) as behind, gateway([behind.address], held_bytes=HELD) as rig:
        with await rig.deaf() as on:
            slow = await unread(rig, on)
            filled(rig, HELD)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(on, post() * AHEAD)
            await eventually(lambda: slow._deaf)
            received = bytearray()
            async with asyncio.timeout(5):
                while piece := await loop.sock_recv(on, 1_000_000):
                    received += piece
            assert received.count(b"HTTP/1.1 ") == 1
            assert len(received) > len(LARGE)


async def test_requests_that_were_parsed_ahead_count_as_the_memory_that_they_take() -> None:
    """Twenty times their bytes."""
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.waiting(behind, post() + TINY)
        assert rig.gateway.server.held >= 500 * 512
        behind.hold.set()
        assert (await client.reply()).status == 200
        for _ in range(500):
            assert (await client.reply()).status == 404
        assert rig.gateway.server.held == 0


async def test_many_headers_of_those_count_too() -> None:
    headers = "".join(f"a{number}:\r\n" for number in range(99))
    async with model() as behind, gateway([behind.address]) as rig:
        await rig.waiting(behind, post() + get("/", headers=headers) * 16)
        assert rig.gateway.server.held >= 16 * 100 * 75


async def test_a_few_requests_ahead_do_not_count() -> None:
    """As little that is not parsed does not."""
    async with model() as behind, gateway([behind.address]) as rig:
        await rig.waiting(behind, post() * 20)
        assert rig.gateway.server.held == 0


async def test_where_there_is_no_room_for_those_the_answer_under_way_is_the_last() -> None:
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        others = filled(rig, HELD)
        client = await rig.client()
        behind.hold.clear()
        client.send(post()[: -len(b"}")])
        await eventually(lambda: rig.gateway.server.connections)
        client.send(b"}" + TINY)
        await eventually(lambda: behind.asked)
        assert rig.gateway.server.held == others
        behind.hold.set()
        reply = await client.reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await client.rest() == b""


@asynccontextmanager
async def crowded(busy: bool) -> AsyncIterator[tuple[Rig, socket.socket, ServerConnection]]:
    """A client that reads nothing, and the gateway's end of it; `busy`: another's request is under way."""
    async with model() as behind, gateway([behind.address], held_bytes=HELD) as rig:
        if busy:
            await rig.waiting(behind)
        with await rig.deaf() as on:
            yield rig, on, await ended_in(rig, on)


@pytest.mark.parametrize("busy", [False, True])
async def test_who_leaves_answers_unread_is_held_to_that_too(busy: bool) -> None:
    """`busy`: answers wait for the end of the turn, since another is under way."""
    async with crowded(busy) as (rig, on, slow):
        await asyncio.get_running_loop().sock_sendall(on, get("/v2/openapi.json") * 20 + TINY)
        await eventually(lambda: slow.stalled)
        assert len(slow._later) > 400
        assert rig.gateway.server.held >= slow.unsent + 400 * 512
        slow.cut()
        await eventually(lambda: slow not in rig.gateway.server.connections)
        assert rig.gateway.server.held == 0


@pytest.mark.parametrize("busy", [False, True])
async def test_who_leaves_answers_unread_has_none_of_those_where_there_is_no_room(busy: bool) -> None:
    async with crowded(busy) as (rig, on, slow):
        others = filled(rig, HELD)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(on, get("/v2/openapi.json") * 20 + TINY)
        await eventually(lambda: slow._deaf)
        assert not slow._later
        assert rig.gateway.server.held == others + slow.unsent
        received = bytearray()
        async with asyncio.timeout(5):
            while piece := await loop.sock_recv(on, 1_000_000):
                received += piece
        assert 0 < received.count(b"HTTP/1.1 ") <= 20
        assert received.endswith(b"}")
