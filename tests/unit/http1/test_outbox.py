"""Writes wait for the end of the loop's turn, keep their order, and none is made to what is closed."""

from __future__ import annotations

import asyncio
from typing import cast

from modelyard.http1.outbox import FULL, Outbox

Log = list[tuple[str, bytes]]


class StubTransport:
    """Notes what is written."""

    def __init__(self, name: str, log: Log) -> None:
        self._name, self._log, self.closing = name, log, False

    def write(self, data: bytes) -> None:
        """See asyncio.Transport."""
        self._log.append((self._name, data))

    def is_closing(self) -> bool:
        """See asyncio.Transport."""
        return self.closing


def two(log: Log) -> tuple[asyncio.Transport, asyncio.Transport]:
    """Two transports with one log."""
    return cast(asyncio.Transport, StubTransport("a", log)), cast(asyncio.Transport, StubTransport("b", log))


async def test_what_is_posted_is_written_in_order_at_the_end_of_the_turn() -> None:
    log: Log = []
    a, b = two(log)
    outbox = Outbox()
    for transport, data in ((a, b"1"), (b, b"2"), (a, b"3")):
        outbox.post(transport, data)
    assert log == []

    await asyncio.sleep(0)

    assert log == [("a", b"1"), ("b", b"2"), ("a", b"3")]


async def test_each_turn_has_its_own_writes() -> None:
    log: Log = []
    a, _ = two(log)
    outbox = Outbox()
    for data in (b"1", b"2"):
        outbox.post(a, data)
        await asyncio.sleep(0)
        assert log[-1] == ("a", data)
    assert len(log) == 2


async def test_a_flush_writes_at_once_and_once() -> None:
    log: Log = []
    a, _ = two(log)
    outbox = Outbox()
    outbox.post(a, b"1")

    outbox.flush()
    assert log == [("a", b"1")]

    await asyncio.sleep(0)
    assert log == [("a", b"1")]


async def test_what_was_closed_meanwhile_gets_nothing_and_the_others_all() -> None:
    log: Log = []
    a, b = two(log)
    outbox = Outbox()
    outbox.post(a, b"1")
    outbox.post(b, b"2")
    cast(StubTransport, a).closing = True

    await asyncio.sleep(0)

    assert log == [("b", b"2")]


async def test_more_than_a_full_box_is_written_without_waiting() -> None:
    log: Log = []
    a, b = two(log)
    outbox = Outbox()
    piece = bytes(FULL // 2)
    outbox.post(a, piece)
    outbox.post(b, piece)
    assert log == []

    outbox.post(a, b"1")
    assert [name for name, _ in log] == ["a", "b", "a"]

    outbox.post(a, piece)
    outbox.post(b, b"2")
    assert len(log) == 3, "the box is empty again"
    await asyncio.sleep(0)
    assert log[3:] == [("a", piece), ("b", b"2")]
