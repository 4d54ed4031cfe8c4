"""Requests that nobody would send: whatever comes, the gateway answers or closes, never fails, and lives on."""

from __future__ import annotations

import json
import random
import re
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import Chaos, Town
from tests.gateway.random_requests import good_request, spoilt
from tests.gateway.running import Gateway, column, gateway, write_routes

pytestmark = pytest.mark.chaos

SEED = 20261121
PATIENCE = 5.0
"""Seconds in which an answer or an end has to come for a request that is over."""

FILLING = b" " * 40_000
"""Makes bodies so large that a gateway which keeps them grows by more than it does by itself."""

CASES = 300
MOST_GROWTH = 4_000_000
"""Bytes by which it may grow in so many cases; their bodies are three times as large."""

LEAKY = """
import sys
from modelyard.http1.reading import RequestReader
kept, on_body = [], RequestReader.on_body
def keeping(self, body):
    kept.append(body)
    on_body(self, body)
RequestReader.on_body = keeping
from modelyard.cli.main import main
sys.exit(main())
"""
"""A gateway that keeps every body."""

GOOD = b"POST /v2/models/flats/infer HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"HTTP/1.1",
        b"HTTP/9.9",
        b"chunked",
        b"\xff\xfe",
        b"%00",
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"//",
        b"A" * 20000,
    ),
    *(b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Inference-Header-Content-Length: 7\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"-5\r\n"),
    *(b"NaN", b"1e999", b"[[[[[[[[", b'"\\ud800"', b"null", b"-0"),
]


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Bytes with a few parts changed, doubled, taken out or put in."""
    parts = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(parts))
        length = min(chance.choice((1, 1, 4, 30)), len(parts) - at)
        match chance.randrange(4):
            case 0:
                parts[at : at + length] = chance.randbytes(length)
            case 1:
                del parts[at : at + length]
            case 2:
                parts[at:at] = parts[at : at + length]
            case _:
                parts[at:at] = chance.choice(PIECES)
    return bytes(parts)


def http(chance: random.Random) -> bytes:
    """A request as a whole, mutated."""
    body = json.dumps(good_request(chance)).encode()
    head = GOOD + b"Content-Length: %d\r\n\r\n" % (len(body) + len(FILLING))
    return mutated(chance, head + body) + FILLING


def json_body(chance: random.Random) -> bytes:
    """Good HTTP, a body that is spoilt or mutated."""
    document = good_request(chance)
    if chance.random() < 0.3:
        return framed(json.dumps(spoilt(chance, document)).encode() + FILLING)
    return framed(mutated(chance, json.dumps(document, ensure_ascii=False).encode()) + FILLING)


def raw_body(chance: random.Random) -> bytes:
    """Good HTTP, raw tensors whose sizes, shapes and bytes do not fit."""
    data = struct.pack("<4d", *(chance.gauss(0, 1) for _ in range(4)))
    size = chance.choice((32, 0, -1, 31, 33, 2**63, 10**30, "32", None, 1.5, [32]))
    shape = chance.choice(([4], [2, 2], [0], [-4], [2**62, 4], [4] * 9, ["4"], [4.0], [], None))
    tensor: dict[str, Any] = {"name": "area", "shape": shape, "parameters": {"binary_data_size": size}}
    tensor["datatype"] = chance.choice(("FP64", "BYTES", "INT8", "BOOL"))
    head = json.dumps({"inputs": [tensor]}).encode() + FILLING
    said = chance.choice((len(head), len(head) + 1, 0, 10**6, -1, "many"))
    content = mutated(chance, head + data) if chance.random() < 0.3 else head + data
    return framed(content, b"Inference-Header-Content-Length: %b\r\n" % str(said).encode())


def framed(body: bytes, headers: bytes = b"") -> bytes:
    return GOOD + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture(scope="module")
def front(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Answers also who has ended its side: so everything sent here is over."""
    routes = tmp_path_factory.mktemp("fuzzed") / "routes.json"
    write_routes(routes, town.routes())
    with gateway(routes, "--answer-half-closed=true") as found:
        yield found


@pytest.mark.parametrize("made", [http, json_body, raw_body])
def test_no_input_makes_it_fail_or_hang_or_grow(
    front: Gateway, chaos: Chaos, made: Callable[[random.Random], bytes]
) -> None:
    grown = growth(front, made, chaos.time(0))

    assert grown < MOST_GROWTH
    assert front.process.poll() is None
    assert front.infer("echo", column("value", [1.0])).status == 200


def test_a_gateway_that_kept_bodies_would_be_seen_to_grow(town: Town, tmp_path: Path) -> None:
    write_routes(tmp_path / "routes.json", town.routes())
    program = (sys.executable, "-c", LEAKY)
    with gateway(tmp_path / "routes.json", "--answer-half-closed=true", program=program) as front:
        assert growth(front, json_body) > 2 * MOST_GROWTH


def growth(front: Gateway, made: Callable[[random.Random], bytes], seconds: float = 0.0) -> int:
    """Bytes by which it has grown between the first cases and the last; no fewer of them than are counted on."""
    chance = random.Random(SEED)
    for _ in range(CASES):
        tried(front.port, made(chance))
    before = front.resident()
    end = time.monotonic() + seconds
    count = 0
    while count < CASES or time.monotonic() < end:
        tried(front.port, made(chance))
        count += 1
    return front.resident() - before


def tried(port: int, request: bytes) -> None:
    """Send it and nothing more: what comes back is HTTP, no server error, and then the end. There is no answer only
    where the request breaks off."""
    answer = exchanged(port, request)
    assert answer or unfinished(request), request
    statuses = [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert bool(statuses) == bool(answer), (request, answer)
    # 501 and 505: of HTTP that no server need speak. The model answers well whatever it is asked.
    assert all(status < 500 or status in (501, 505) for status in statuses), (request, answer)
    assert b"Traceback" not in answer, (request, answer)


def unfinished(request: bytes) -> bool:
    """Whether it says that more of it will come."""
    head, end, rest = request.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?i)\ncontent-length:[ \t]*(\d+)", head)
    return not end or b"chunked" in head or any(int(length) > len(rest) for length in lengths)


def test_a_gateway_that_hangs_up_in_place_of_an_answer_would_be_seen() -> None:
    chance = random.Random(SEED)
    with socketserver.TCPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for made in (json_body, raw_body):
            with pytest.raises(AssertionError):
                tried(server.server_address[1], made(chance))
        tried(server.server_address[1], GOOD)
        server.shutdown()


class HangsUp(socketserver.StreamRequestHandler):
    """Reads, and says nothing."""

    def handle(self) -> None:
        self.rfile.read()


def exchanged(port: int, request: bytes) -> bytes:
    """All that comes back on a connection that is closed for writing after the request."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                came += part
        except (ConnectionResetError, BrokenPipeError):
            return came  # It had said enough, and did not read the rest.
    return came
