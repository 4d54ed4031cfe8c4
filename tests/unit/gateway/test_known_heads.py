"""Messages whose heads came before are read as all others, however they are cut and whatever lies between them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any, cast

import pytest

from modelyard.gateway.route import Address
from modelyard.gateway.settings import Settings
from modelyard.gateway.upstream import Pod, PodConnection
from modelyard.http1.heads import Headers
from modelyard.http1.outbox import Outbox
from tests.unit.gateway.rig import INFER, LIVE, gateway, model, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
ANSWERS = [
    OK + b"abcd",
    OK + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"efgh",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
] * 6 + [
    b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 204 None\r\n\r\n",
]
"""After the last two a connection to a pod ends."""


def pieces(data: bytes, chance: random.Random, whole: float) -> Iterator[bytes]:
    """The data as it may arrive: more often than not in one piece."""
    while data:
        length = len(data) if chance.random() < whole else chance.randint(1, len(data))
        yield data[:length]
        data = data[length:]


class StubTransport:
    """Takes everything."""

    closing = False

    def write(self, data: bytes) -> None:
        """See asyncio.Transport."""

    def is_closing(self) -> bool:
        """See asyncio.Transport."""
        return self.closing

    def get_write_buffer_size(self) -> int:
        """See asyncio.Transport."""
        return 0

    def abort(self) -> None:
        """See asyncio.Transport."""
        self.closing = True

    close = abort

    def get_extra_info(self, _: str) -> StubTransport:
        """See asyncio.Transport."""
        return self

    def setsockopt(self, *_: object) -> None:
        """See socket."""


class Notes:
    """What a receiver was told of one answer."""

    def __init__(self) -> None:
        self.status, self.headers, self.body, self.end = 0, cast(Headers, []), b"", ""

    def on_head(self, status: int, headers: Headers) -> None:
        """See Receiver."""
        self.status, self.headers = status, headers

    def on_body(self, chunk: bytes) -> None:
        """See Receiver."""
        self.body += chunk

    def on_end(self) -> None:
        """See Receiver."""
        self.end += "end"

    def on_lost(self, error: Exception, begun: bool) -> None:
        """See Receiver."""
        self.end += f"lost {begun}"

    @property
    def told(self) -> tuple[Any, ...]:
        """All of it."""
        return self.status, list(self.headers), self.body, self.end


def read(answers: list[list[bytes]], *, forgetful: bool = False) -> list[tuple[Any, ...]]:
    """What connections tell of answers that come in these pieces, one after the other; where one ended, of the next.

    `forgetful`: they know no heads.
    """
    connection, found = PodConnection(pod()), []
    for parts in answers:
        notes = Notes()
        if not connection.free:
            connection = PodConnection(pod())
            connection.connection_made(cast(asyncio.Transport, StubTransport()))
        connection.send(b"?", notes)
        for part in parts:
            if forgetful:
                connection._known = None
            connection.data_received(part)
        found.append(notes.told)
    return found


def pod() -> Pod:
    """A pod that nobody reaches, with one request under way: what is sent is written at once."""
    made = Pod(Address("127.0.0.1", 1), Settings(), Outbox())
    made.in_flight = 1
    return made


@pytest.mark.parametrize("seed", range(20))
async def test_answers_are_told_as_a_connection_tells_them_that_knows_no_heads(seed: int) -> None:
    chance = random.Random(seed)
    stray = b"" if seed % 4 else b"\r\n"
    answers = [
        list(pieces(chance.choice(ANSWERS) + stray * (chance.random() < 0.1), chance, 0.8)) for _ in range(60)
    ]
    assert read(answers) == read(answers, forgetful=True)


async def test_a_piece_that_looks_like_a_known_answer_inside_of_another_is_part_of_that() -> None:
    known = OK + b"abcd"
    around = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(known)
    told = read([[known], [around, known], [known]])
    assert [(status, body, end) for status, _, body, end in told] == [
        (200, b"abcd", "end"),
        (200, known, "end"),
        (200, b"abcd", "end"),
    ]


def question(number: int) -> bytes:
    one = {"name": "area", "shape": [1], "datatype": "FP64", "data": [1.5]}
    return post(json.dumps({"id": f"q{number:05}", "inputs": [one]}).encode())


def asked(chance: random.Random, number: int) -> tuple[bytes, tuple[int, str | None]]:
    """A request, and the status and id of its answer."""
    kind = chance.random()
    if kind < 0.7:
        return question(number), (200, f"q{number:05}")
    if kind < 0.8:
        return LIVE, (200, None)
    if kind < 0.9:
        return post(b"{" + b" " * (len(question(0)) % 50), headers="X-Other: 1\r\n"), (400, None)
    return post(b"x" * 40, path=INFER.replace("flats", "none")), (404, None)


@pytest.mark.parametrize("seed", range(8))
async def test_requests_are_answered_one_by_one_however_they_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    requests = [asked(chance, number) for number in range(40)]
    async with model() as stub, gateway([stub.address]) as rig:
        client = await rig.client()
        client.writer.transport.set_write_buffer_limits(0)
        for data, expected in requests:
            for part in pieces(data, chance, 0.8):
                client.send(part)
                await asyncio.sleep(0)
            if chance.random() < 0.9:
                reply = await client.reply()
            else:  # the next one comes before this is answered
                client.send(LIVE)
                reply = await client.reply()
                assert (await client.reply()).status == 200
            assert (reply.status, reply.json.get("id")) == expected
