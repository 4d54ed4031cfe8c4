"""A server: connections on a port, their deadlines, and an end in order."""

from __future__ import annotations

import asyncio
import socket
from email.utils import formatdate
from operator import itemgetter
from time import monotonic
from typing import cast

from modelyard.http1.exchange import Handler, Limits
from modelyard.http1.outbox import Outbox
from modelyard.http1.reading import A_WHILE
from modelyard.http1.server import ServerConnection


class Server:
    """Takes connections. Deadlines are looked at every `tick` seconds: a timer for each would cost too much."""

    def __init__(self, handler: Handler, limits: Limits, *, tick: float = 0.25) -> None:
        self.handler, self.limits = handler, limits
        self.draining = False
        """Each answer is the last of its connection."""

        self.date = b""
        self.outbox = Outbox()
        self.under_way = self.held = self.looks = 0
        self.connections: set[ServerConnection] = set()
        self.refused = 0
        """Connections for which there was no room."""

        self._idle: list[tuple[float, ServerConnection]] | None = None
        """By when they end, the first one last; None: not known since deadlines were looked at."""

        self.listening = asyncio.Event()
        self._tick = tick
        self._empty = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.get_running_loop()

    async def listen(self, on: socket.socket) -> int:
        """Begin to serve on a socket that is bound; its port."""
        self._listener = await self._loop.create_server(self._made, sock=on, backlog=1024)
        self._look()
        self.listening.set()
        return int(on.getsockname()[1])

    def _made(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, ServerConnection(self))

    def opened(self, connection: ServerConnection) -> bool:
        """See Host."""
        taken = len(self.connections) < self.limits.connections or self._make_room()
        self.refused += not taken
        self.connections.add(connection)
        self._empty.clear()
        return taken

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; False: none is. All are gone through no more often than
        deadlines are, however many newcomers there are."""
        if self._idle is None:
            until = ((one.idle_until, one) for one in self.connections)
            self._idle = sorted(until, key=itemgetter(0), reverse=True)
        while self._idle:
            known, one = self._idle.pop()
            if one.idle_until == known < float("inf"):
                one.retire()
                return True
        return False

    def closed(self, connection: ServerConnection) -> None:
        """See Host."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    def relieve(self) -> bool:
        """See Shared: those give way that have left answers unread for a while, or not gone on with a body, the most
        bytes first."""
        unread_since = monotonic() - self.limits.write_seconds * A_WHILE
        silent_since = self.looks - int(self.limits.body_seconds * A_WHILE / self._tick)
        kept = ((one.kept_for(unread_since, silent_since), one) for one in self.connections)
        slow = sorted((each for each in kept if each[0]), key=itemgetter(0))
        while slow and self.held > self.limits.held_bytes:
            slow.pop()[1].give_way()
        return self.held <= self.limits.held_bytes

    async def close(self, grace: float) -> None:
        """Take no more connections, finish what is under way within `grace` seconds, and cut off what is left."""
        self.draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self.connections):
            connection.retire()
        try:
            async with asyncio.timeout(grace):
                while self.connections:
                    await self._empty.wait()
        except TimeoutError:
            pass
        for connection in tuple(self.connections):
            connection.cut()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Tell those whose deadlines have passed."""
        now = monotonic()
        self.looks += 1
        self._idle = None
        self.date = b"Date: %b\r\n" % formatdate(usegmt=True).encode()
        for connection in tuple(self.connections):
            if connection.deadline <= now or connection.write_deadline <= now:
                connection.expire()
        self._timer = self._loop.call_later(self._tick, self._look)


def bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket bound to the address; `shared`: other processes may bind it too. Raises OSError when it is taken.

    An empty host stands for all addresses, of both kinds where there are both.
    """
    everywhere = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"
    family, _, _, _, address = socket.getaddrinfo(host or everywhere, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if not host and family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made
