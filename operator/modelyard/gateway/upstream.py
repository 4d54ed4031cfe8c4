"""Pods as the gateway asks them: connections of its own to each, and how busy each is."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol, cast

import httptools

from modelyard.gateway.files import none_left
from modelyard.gateway.route import Address
from modelyard.gateway.settings import Settings
from modelyard.http1.broken import BrokenAnswer
from modelyard.http1.client import Connection, Receiver
from modelyard.http1.heads import AnswerHead, Headers, answer_head
from modelyard.http1.outbox import Outbox

_BYTES_ACKNOWLEDGED: Final = 120
"""Where Linux's struct tcp_info holds tcpi_bytes_acked, a 64-bit number."""

_HANDSHAKE: Final = 1
"""What the opening of a connection counts in it."""

_ACKNOWLEDGE: Final = getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)
"""Where there is no such option, one that is set already."""


class PodConnection(Connection):
    """One connection to a pod."""

    def __init__(self, pod: Pod) -> None:
        super().__init__(pod.on_free, pod.on_closed)
        self.perhaps_read = True
        """Whether the pod may have read any of the last request; known when the connection is lost."""

        self.malformed = False
        """Whether it ended because what came is not HTTP."""

        self._pod, self._sent, self._before, self._posted = pod, _HANDSHAKE, _HANDSHAKE, -1
        self._known: AnswerHead | None = None
        self._told: tuple[int, Headers] | None = None
        self._begins = False
        """Whether what comes next is the beginning of an answer."""

    def send(self, data: bytes | Sequence[bytes], receiver: Receiver) -> None:
        """See Connection. While others are under way, at the end of this turn: there may be more to send in it."""
        self._begins, self._before, self._posted = True, self._sent, -1
        if not isinstance(data, bytes) or self._pod.in_flight == 1:
            self._sent += len(data) if isinstance(data, bytes) else sum(map(len, data))
            super().send(data, receiver)
            return
        assert self._transport is not None
        assert self._receiver is None
        self._receiver = receiver
        self.used += 1
        self._sent += len(data)
        self._posted = self._pod.outbox.flushes
        self._pod.outbox.post(self._transport, data)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        known, receiver, begins = self._known, self._receiver, self._begins
        self._begins = False
        if receiver is None or not begins:
            super().data_received(data)
        elif self._waits:
            self.perhaps_read = False
            self._break(BrokenAnswer("the pod said something before it was asked"), malformed=False)
        elif known is not None and len(data) == known.whole and data.startswith(known.data):
            self._take(known, receiver, data)
        else:
            self._told = None
            super().data_received(data)
            self._remember(data)
        if self._receiver is not None:
            self._acknowledge()

    def _remember(self, data: bytes) -> None:
        if self._told is not None and self.free:
            self._known = answer_head(data, *self._told)

    def _acknowledge(self) -> None:
        """A pod that writes head and body apart sends the body when the head was acknowledged, which Linux would put
        off for 40 ms."""
        if self._transport is not None:
            self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE, 1)

    def _take(self, known: AnswerHead, receiver: Receiver, data: bytes) -> None:
        """Take an answer whose head was parsed before."""
        receiver.on_head(200, known.headers)
        receiver.on_body(data[len(known.data) :])
        if self._receiver is None:
            return
        self._receiver = None
        if not self._goes_on(200):
            self._finish()
        receiver.on_end()
        if self.free:
            self.free_since = self._loop.time()
            self._pod.on_free(self)

    def on_headers_complete(self) -> None:
        """See Connection."""
        self._told = self._parser.get_status_code(), self._headers
        super().on_headers_complete()

    def _goes_on(self, status: int) -> bool:
        """See Connection. Who answers anything but 200 has perhaps not read the request, and would read the rest of it
        as the beginning of the next one, which may be another client's."""
        return status == 200 and super()._goes_on(status)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.perhaps_read = not (self._waits or (self._ending and self._acknowledged() == self._before))
        super().connection_lost(exc)
        self._parser = cast(httptools.HttpResponseParser, None)  # They hold each other.

    def _break(self, error: Exception, *, malformed: bool = True) -> None:
        self.malformed = malformed
        super()._break(error)

    @property
    def _waits(self) -> bool:
        """Whether the last request is still in the outbox."""
        return self._posted == self._pod.outbox.flushes

    def _acknowledged(self) -> int | None:
        """How much the other side has taken, as the system says; None where it does not.

        It is to be believed of a connection that the other side has ended in order, whose end says what it had taken
        by then. Of one that was reset it is too little: what is read and then reset was perhaps never acknowledged.
        """
        if self._transport is None:
            return None
        try:
            info = self._transport.get_extra_info("socket").getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, 256
            )
            return int(struct.unpack_from("=Q", info, _BYTES_ACKNOWLEDGED)[0])
        except (AttributeError, OSError, struct.error):
            return None


class Asker(Receiver, Protocol):
    """Who asks a pod."""

    def connected(self, connection: PodConnection) -> bool:
        """There is a connection: send. False: it is needed no longer."""

    def unreachable(self, error: Exception) -> None:
        """The pod takes no connection; nothing was sent."""


class Pod:
    """One pod."""

    def __init__(self, address: Address, settings: Settings, outbox: Outbox) -> None:
        self.address, self.outbox = address, outbox
        host = f"[{address.host}]" if ":" in address.host else address.host
        self.host_line = f"Host: {host}:{address.port}\r\n".encode()
        self.in_flight = 0
        self.connections: set[Connection] = set()
        self.suspect_until = 0.0
        self._settings = settings
        self._idle: list[Connection] = []
        self._left = False
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    def reach(self, asker: Asker, *, fresh: bool) -> None:
        """Give the asker a connection, now or later; `fresh`: one that carried nothing yet."""
        if self._left:
            asker.unreachable(_gone())
            return
        if not fresh:
            oldest = self._loop.time() - self._settings.upstream_idle_seconds
            idle = self._idle
            while idle:
                connection = idle.pop()
                if connection.free and connection.free_since >= oldest:
                    assert isinstance(connection, PodConnection)
                    asker.connected(connection)
                    return
                connection.abort()
        task = self._loop.create_task(self._connect(asker))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, asker: Asker) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                _, protocol = await self._loop.create_connection(self._made, *self.address)
        except (OSError, ValueError) as error:  # A name that is no host's is a ValueError.
            if not none_left(error):
                self.suspect_until = monotonic() + self._settings.suspect_seconds
            asker.unreachable(error)
            return
        self.suspect_until = 0.0
        connection = cast(PodConnection, protocol)
        self.connections.add(connection)
        if self._left:
            connection.abort()
            asker.unreachable(_gone())
        elif not connection.free:
            asker.unreachable(ConnectionResetError("the pod closed the connection"))
        elif not asker.connected(connection):
            connection.free_since = self._loop.time()
            self.on_free(connection)

    def _made(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, PodConnection(self))

    def on_free(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        if self._left:
            connection.abort()
        else:
            self._idle.append(connection)

    def on_closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def close_idle(self) -> None:
        """Close what has not been used for long. The one used last is used first, so the oldest are in front."""
        oldest = self._loop.time() - self._settings.upstream_idle_seconds
        while self._idle and self._idle[0].free_since < oldest:
            self._idle.pop(0).abort()

    def leave(self) -> None:
        """The pod gets nothing new: what is idle closes now, the rest when it is answered."""
        self._left = True
        while self._idle:
            self._idle.pop().abort()

    def close(self) -> None:
        """Close everything."""
        self.leave()
        for task in tuple(self._connecting):
            task.cancel()
        for connection in tuple(self.connections):
            connection.abort()


def _gone() -> ConnectionError:
    return ConnectionAbortedError("the pod has left")


def least_busy(pods: Sequence[Pod], now: float, turn: int, but: Pod | None = None) -> Pod | None:
    """The pod with the fewest requests under way, those that took no connection lately last; None: there is none.

    Of equals it is another one with each `turn`.
    """
    found: Pod | None = None
    fewest = (True, 0)
    count = len(pods)
    for step in range(count):
        pod = pods[(turn + step) % count]
        busy = (pod.suspect_until > now, pod.in_flight)
        if pod is not but and (found is None or busy < fewest):
            found, fewest = pod, busy
            if busy == (False, 0):
                break
    return found
