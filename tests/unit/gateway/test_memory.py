"""Memory that large bodies take is kept for the next ones."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref

import pytest

from modelyard.gateway.memory import keep_freed_memory
from tests.support.eventually import eventually
from tests.unit.gateway.rig import QUESTION, gateway, get, model, post

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
            (served,) = map(weakref.ref, rig.gateway.server.connections)
            (pod,) = rig.engine.lanes.pods.values()
            (asked,) = map(weakref.ref, pod.connections)
            client.send(sent)
            for _ in range(answers):
                await client.reply()
            client.hang_up()
            for writer in tuple(behind.writers):
                writer.transport.abort()
            await eventually(lambda: served() is None)
            await eventually(lambda: asked() is None)
        finally:
            gc.enable()
