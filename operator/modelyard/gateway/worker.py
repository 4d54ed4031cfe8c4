"""One of several workers, from inside: a gateway that reports to the process that started it."""

from __future__ import annotations

import asyncio
import socket

import orjson

from modelyard.gateway.child import BEAT, KNOWN, NOT_READY, READY
from modelyard.gateway.serving import Gateway


async def report_to_parent(gateway: Gateway, number: int) -> None:
    """Answer what is asked on the socket of this number (see `child`); end when it closes."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=number))
    announcing = asyncio.create_task(_announce(gateway, writer))
    try:
        while line := await reader.readline():
            if line == BEAT:
                writer.write(READY if gateway.ready else NOT_READY)
            else:
                writer.write(orjson.dumps(gateway.report(known=line == KNOWN).document()) + b"\n")
    except OSError:
        pass
    finally:
        announcing.cancel()
        gateway.end()
        writer.close()


async def _announce(gateway: Gateway, writer: asyncio.StreamWriter) -> None:
    """Tell at once when it takes requests, so that nobody waits for the next beat."""
    await gateway.server.listening.wait()
    writer.write(READY if gateway.ready else NOT_READY)
