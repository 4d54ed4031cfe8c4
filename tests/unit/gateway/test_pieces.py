"""However the bytes of requests in a row are cut into pieces, each request gets its own answer, in order."""

from __future__ import annotations

import asyncio
import json
import socket
from random import Random

import pytest

from tests.unit.gateway.rig import INFER, LIVE, Client, gateway, get, model, post


def question(number: int) -> bytes:
    """A question that is known by its id; many of them have heads of the same bytes."""
    one = {"name": "area", "shape": [1], "datatype": "FP64", "data": [number / 8]}
    return json.dumps({"id": f"q{number % 10}", "inputs": [one]}).encode()


def chunked(body: bytes, random: Random) -> bytes:
    """The same in chunks of any sizes."""
    pieces, head = [], f"POST {INFER} HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
    while body:
        size = random.randint(1, len(body))
        pieces.append(b"%x\r\n%b\r\n" % (size, body[:size]))
        body = body[size:]
    return head.encode() + b"".join(pieces) + b"0\r\n\r\n"


def requests(random: Random, count: int) -> list[tuple[bytes, int, str | None]]:
    """Requests, each with the status and the id of its answer."""
    made: list[tuple[bytes, int, str | None]] = []
    for number in range(count):
        body, answered_id = question(number), f"q{number % 10}"
        made.append(
            random.choice(
                [
                    (post(body), 200, answered_id),
                    (post(body), 200, answered_id),
                    (post(body, headers=f"X-Request-Id: {number}\r\n"), 200, answered_id),
                    (chunked(body, random), 200, answered_id),
                    (post(body[:-1]), 400, None),
                    (post(body, "/nowhere"), 404, None),
                    (LIVE, 200, None),
                    (get("/v2/models/flats"), 200, None),
                    (get(INFER), 405, None),
                ]
            )
        )
    return made


async def send_in_pieces(client: Client, data: bytes, random: Random) -> None:
    """Write pieces of any sizes, with and without a turn of the loop between them."""
    client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    longest = random.choice([3, 40, 400, 4_000])
    while data:
        size = random.randint(1, longest)
        client.send(data[:size])
        data = data[size:]
        if random.random() < 0.5:
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(12))
async def test_pieces_of_any_sizes_make_the_same_requests(seed: int) -> None:
    random = Random(seed)
    made = requests(random, 60)
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        async with asyncio.TaskGroup() as group:
            group.create_task(send_in_pieces(client, b"".join(data for data, _, _ in made), random))
            replies = [await client.reply() for _ in made]
        assert [[reply.status, reply.json.get("id")] for reply in replies] == [
            expected for _, *expected in made
        ]
        asked = sum(known is not None for _, _, known in made)
        assert len(behind.asked) == asked
        assert rig.gateway.server.under_way == rig.engine.in_flight == 0


@pytest.mark.parametrize("seed", range(4))
async def test_one_at_a_time_they_are_answered_alike(seed: int) -> None:
    random = Random(seed)
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        for data, status, known in requests(random, 60):
            reply = await client.ask(data)
            assert (reply.status, reply.json.get("id")) == (status, known)
