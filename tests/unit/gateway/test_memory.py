"""Memory that large bodies take is kept for the next ones."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref

from modelyard.gateway.memory import keep_freed_memory
from tests.support.eventually import eventually
from tests.unit.gateway.rig import gateway, model, post

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


async def test_a_connection_that_ended_leaves_nothing_to_the_garbage_collector() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        gc.collect()
        gc.disable()
        try:
            client = await rig.client()
            assert (await client.ask(post())).status == 200
            (served,) = map(weakref.ref, rig.gateway.server.connections)
            (pod,) = rig.engine.lanes.pods.values()
            (asked,) = map(weakref.ref, pod.connections)
            client.hang_up()
            for writer in tuple(behind.writers):
                writer.transport.abort()
            await eventually(lambda: served() is None)
            await eventually(lambda: asked() is None)
        finally:
            gc.enable()
