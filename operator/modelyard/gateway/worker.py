"""One of several workers, from inside: a gateway that reports to the process that started it."""

from __future__ import annotations

import asyncio
import socket

import orjson

from modelyard.gateway.serving import Gateway


async def report_to_parent(gateway: Gateway, number: int) -> None:
    """Answer each line that comes on the socket of this number with a report; end when it closes."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=number))
    try:
        while await reader.readline():
            writer.write(orjson.dumps(gateway.report().document()) + b"\n")
    except OSError:
        pass
    finally:
        gateway.end()
        writer.close()
