"""Memory that large bodies take is kept for the next ones."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import pytest

from modelyard.gateway.memory import keep_freed_memory
from tests.support.eventually import eventually
from tests.unit.gateway.rig import INFER, QUESTION, gateway, get, model, post, unused_address

PROGRAM = """
import resource
from modelyard.gateway.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        pieces = [b"x" * 1_000_000, b"y" * 2_500_000]
        whole = b"".join(pieces)
        del pieces, whole
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

assert keep_freed_memory()
faults()
print(faults())
"""


def test_large_bodies_one_after_the_other_use_the_same_pages() -> None:
    """Each of the 20 would be given 1,700 pages anew."""
    if platform.libc_ver()[0] != "glibc":
        assert not keep_freed_memory()
        return
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1_700


LONG = QUESTION + b" " * 50_000


def watched(thing: object) -> Callable[[], bool]:
    """Whether it is there still. It is not held; compiled, it cannot be weakly referenced."""
    kind, known = type(thing), id(thing)
    return lambda: any(type(one) is kind and id(one) == known for one in gc.get_objects())


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (post(), 1),
        (post(LONG), 1),
        (b"no HTTP\r\n\r\n", 1),
        (post() + post()[:-1], 1),
        (post() + post(LONG)[:-1], 1),
        (post() * 5, 1),
        (post() + get("/v2", headers="Connection: close\r\n"), 2),
    ],
)
async def test_a_connection_that_ended_leaves_nothing_to_the_garbage_collector(
    sent: bytes, answers: int
) -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        assert (await client.ask(post())).status == 200
        gc.collect()
        gc.disable()
        try:
            (served,) = map(watched, rig.gateway.server.connections)
            (pod,) = rig.engine.lanes.pods.values()
            (asked,) = map(watched, pod.connections)
            assert served()
            assert asked()
            client.send(sent)
            for _ in range(answers):
                await client.reply()
            client.hang_up()
            for writer in tuple(behind.writers):
                writer.transport.abort()
            await eventually(lambda: not served())
            await eventually(lambda: not asked())
        finally:
            gc.enable()


async def test_a_body_in_many_small_chunks_takes_little_more_memory_than_its_bytes() -> None:
    size = 200_000
    async with gateway([unused_address()]) as rig:
        client = await rig.client()
        client.send(get(INFER, "POST", "Transfer-Encoding: chunked\r\n"))
        tracemalloc.start()
        try:
            chunks = b"2\r\n  \r\n" * (size // 2)
            client.send(chunks)
            await eventually(lambda: rig.gateway.server.held == size)
            await eventually(lambda: not client.writer.transport.get_write_buffer_size())
            assert tracemalloc.get_traced_memory()[0] < 2 * size + len(chunks)
        finally:
            tracemalloc.stop()
        assert (await client.ask(b"%x\r\n%b\r\n0\r\n\r\n" % (len(QUESTION), QUESTION))).status == 503


@pytest.mark.parametrize("cut", [[1] * 9, [1, 600, 1, 1, 600, 600, 1], [600, 600], [600, 1, 1, 600]])
async def test_pieces_of_all_lengths_make_one_body(cut: list[int]) -> None:
    text = QUESTION + b" " * sum(cut)
    parts, at = [], 0
    for length in cut:
        parts.append(text[at : at + length])
        at += length
    parts.append(text[at:])
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        client.send(get(INFER, "POST", "Transfer-Encoding: chunked\r\n"))
        reply = await client.ask(
            b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        )
        assert (reply.status, reply.json["id"]) == (200, "q")
