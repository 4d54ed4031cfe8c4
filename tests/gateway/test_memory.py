"""The gateway's memory stays as it is, however many large tensors pass, and however many clients go away."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.conftest import ECHO_SPEC, Chaos
from tests.gateway.running import Answer, Gateway, column, gateway, model, write_routes
from tests.gateway.servers import ECHO, Server, started

pytestmark = pytest.mark.chaos

MEGABYTE = 1_000_000
ROWS, WIDTH = 1000, 1250
"""Of doubles: 10 MB."""

MOST_GROWTH = 25 * MEGABYTE
"""Of what it holds between requests, once it has seen some: less than what those aborted midway, or those whose model
works on, would leave."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Gateway]:
    with started(Server(ECHO, "echo", ECHO_SPEC), tmp_path / "home") as pod:
        write_routes(tmp_path / "routes.json", [model(pod)])
        with gateway(tmp_path / "routes.json", "--access-log-sample=0") as found:
            yield found


def tensor() -> tuple[bytes, dict[str, str]]:
    """A request of 10 MB, raw."""
    data = struct.pack("<d", 0.1234567) * (ROWS * WIDTH)
    shape = {"name": "it", "shape": [ROWS, WIDTH], "datatype": "FP64"}
    head = json.dumps({"inputs": [{**shape, "parameters": {"binary_data_size": len(data)}}]}).encode()
    return head + data, {"Inference-Header-Content-Length": str(len(head))}


def asked(front: Gateway) -> Answer:
    body, headers = tensor()
    return front.ask("POST", "/v2/models/echo/infer", body, headers)


def aborted(front: Gateway, share: float, *, by_reset: bool) -> None:
    """A client that goes away after this share of a large request; after all of it: while the model works on it.

    It resets the connection, as a program that ends with something unread, or only ends it.
    """
    body, headers = tensor()
    lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    head = "\r\n".join(["POST /v2/models/echo/infer HTTP/1.1", "Host: gateway", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", front.port)) as connection:
        connection.sendall(head.encode() + body[: int(len(body) * share)])
        if by_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


ABORTS = ((0.9, True), (1.0, True), (0.5, False), (0.9, False), (1.0, False))


def test_memory_is_flat_under_large_tensors_and_clients_that_go_away(front: Gateway, chaos: Chaos) -> None:
    """The long form aborts one in a hundred; the short one more than it lets through, so that what an abort leaves
    behind shows soon."""
    for share, by_reset in ABORTS:
        passed(front, 1)
        aborted(front, share, by_reset=by_reset)
    before = settled(front)

    end = time.monotonic() + chaos.time(0, share=1)
    count = 0
    while count < 6 * len(ABORTS) or time.monotonic() < end:
        if chaos.seconds:
            passed(front, 99, until=end)
        elif count % len(ABORTS) == 0:
            passed(front, 1)
        share, by_reset = ABORTS[count % len(ABORTS)]
        aborted(front, share, by_reset=by_reset)
        count += 1

    grown = settled(front) - before
    assert grown < MOST_GROWTH, f"{grown / MEGABYTE:.0f} MB more after {count} aborted requests"


def passed(front: Gateway, times: int, until: float = float("inf")) -> None:
    """So many requests, one in ten of them large, or as many as there is time for; at least one large."""
    for number in range(times):
        answer = front.infer("echo", column("value", [1.0])) if number % 10 else asked(front)
        assert answer.status == 200
        if time.monotonic() > until:
            return


def settled(front: Gateway) -> int:
    """What it holds when nothing is under way: the least that is seen while a few small requests pass."""
    seen = []
    for _ in range(10):
        assert front.infer("echo", column("value", [1.0])).status == 200
        seen.append(front.resident())
        time.sleep(0.1)
    return min(seen)
