"""Clients that leave while something came behind the request that they wait for, or while much is kept of it."""

from __future__ import annotations

import pytest

from tests.support.eventually import eventually
from tests.unit.gateway.rig import LIVE, QUESTION, gateway, get, model, post


@pytest.mark.parametrize("behind", [b"\r\n", b"\r\n" * 100, post(), post()[:30], LIVE * 100])
async def test_a_client_that_breaks_off_is_worked_for_no_longer_whatever_came_behind(behind: bytes) -> None:
    async with model() as pod, gateway([pod.address]) as rig:
        client = await rig.waiting(pod)
        (served,) = rig.gateway.server.connections
        client.send(behind)
        await eventually(lambda: served._raw)
        client.hang_up()
        await eventually(lambda: not rig.gateway.server.connections)
        assert rig.engine.in_flight == rig.gateway.server.under_way == 0
        assert rig.engine.book.abandoned == 1


@pytest.mark.parametrize("behind", [b"\r\n", b"\r\n" * 100])
async def test_line_ends_behind_a_request_do_not_hide_that_the_client_ends(behind: bytes) -> None:
    async with model() as pod, gateway([pod.address]) as rig:
        client = await rig.waiting(pod)
        client.send(behind)
        client.writer.write_eof()
        assert await client.closed()
        assert rig.engine.in_flight == rig.gateway.server.under_way == 0
        assert rig.engine.book.abandoned == 1


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("behind", [post(), LIVE[:-1]])
async def test_what_comes_before_the_last_request_is_answered_though_the_client_ends(
    behind: bytes, apart: bool
) -> None:
    async with model() as pod, gateway([pod.address]) as rig:
        client = await rig.waiting(pod, post() if apart else post() + behind)
        (served,) = rig.gateway.server.connections
        if apart:
            client.send(behind)
            await eventually(lambda: served._raw)
        client.writer.write_eof()
        await eventually(lambda: served._half)
        pod.hold.set()
        assert (await client.reply()).status == 200
        assert rig.engine.book.abandoned == 0


async def test_many_pieces_behind_a_request_are_not_taken() -> None:
    """Each takes more than its bytes."""
    async with model() as pod, gateway([pod.address]) as rig:
        client = await rig.waiting(pod)
        (served,) = rig.gateway.server.connections
        for count in range(64):
            assert not served._paused, count
            served.data_received(b"\r")
        served.data_received(b"\n")
        assert served._paused
        pod.hold.set()
        assert (await client.reply()).status == 200
        await eventually(lambda: not served._paused)


async def test_the_last_answer_reaches_a_client_that_had_sent_a_little_more() -> None:
    async with model() as pod, gateway([pod.address], age_seconds=1e-9) as rig:
        client = await rig.waiting(pod)
        (served,) = rig.gateway.server.connections
        client.send(LIVE)
        await eventually(lambda: served._raw)
        pod.hold.set()
        assert (await client.reply()).headers["connection"] == "close"
        assert await client.rest() == b""
        assert not served._transport.is_closing(), (
            "what still comes is read: a reset would destroy the answer"
        )
        client.hang_up()
        await eventually(lambda: not rig.gateway.server.connections)


async def test_a_large_body_whose_client_left_is_held_no_longer() -> None:
    async with model() as pod, gateway([pod.address]) as rig:
        client = await rig.waiting(pod, post(QUESTION + b" " * 50_000))
        assert rig.gateway.server.held > 50_000
        client.writer.write_eof()
        assert await client.closed()
        assert rig.gateway.server.held == 0


async def test_an_answer_of_this_moment_is_sent_before_a_client_that_ended_is_closed() -> None:
    """It waits for the end of the turn, since another request is under way."""
    async with model() as pod, gateway([pod.address]) as rig:
        pod.hold.clear()
        busy, client = await rig.client(), await rig.client()
        busy.send(post())
        await eventually(lambda: pod.asked)
        await eventually(lambda: len(rig.gateway.server.connections) == 2)
        (served,) = (one for one in rig.gateway.server.connections if one._turn is None)
        served.data_received(get("/v2"))
        assert served.eof_received() is False
        assert (await client.reply()).status == 200
        assert await client.rest() == b""
        pod.hold.set()
        assert (await busy.reply()).status == 200
