"""How much of what was written is still on its way."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios


def unread(transport: asyncio.Transport) -> int:
    """Bytes that the other side has not taken: those that wait in the transport, and in the system where it tells.

    The system takes from the transport in large pieces, up to megabytes, so that by the transport alone a slow reader
    looks like none.
    """
    waiting = transport.get_write_buffer_size()
    try:
        on = transport.get_extra_info("socket").fileno()
        return waiting + int(struct.unpack("i", fcntl.ioctl(on, termios.TIOCOUTQ, bytes(4)))[0])
    except (AttributeError, OSError, ValueError):
        return waiting
