"""One prediction: a client's request to a pod, and the pod's answer back."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Protocol

from modelyard.gateway import protocol
from modelyard.gateway.files import none_left
from modelyard.gateway.lanes import Lane
from modelyard.gateway.protocol import InferRequest, Refused
from modelyard.gateway.protocol.words import quoted
from modelyard.gateway.settings import Settings
from modelyard.gateway.trace_context import trace_lines
from modelyard.gateway.upstream import Pod, PodConnection
from modelyard.http1.exchange import FAILED, Exchange
from modelyard.http1.heads import Headers
from modelyard.http1.reading import SMALL

logger = logging.getLogger(__name__)

TRIES = 2
"""A request that was never sent, or not taken, is sent once more."""

_SHORT_ANSWER = 16 * 1024
"""Up to this size an answer is not counted as held, and never too long for its rows."""

_ONE_PIECE = 64 * 1024
"""Up to this size a request is sent as one piece."""


_NO_PODS = "it does not serve, and has no pod that is ready"


class Ends(Protocol):
    """Who hears how a call ends."""

    def succeeded(self, call: Call, answer: protocol.Answer) -> None:
        """The model has answered."""

    def failed(self, call: Call, problem: Refused) -> None:
        """It has not, or not well."""

    def retried(self) -> None:
        """A pod is asked once more."""

    def hold(self, size: int) -> bool:
        """Keep so many bytes more of answers, or fewer; False: there is no room for more."""

    def lane_now(self, lane: Lane) -> Lane:
        """The same way by the present table, or `lane` itself if there is none."""


class Call:
    """Under way from `start` until its ends hear of it, or until `abandon`."""

    __slots__ = (
        "_connection",
        "_ends",
        "_enough",
        "_headers",
        "_longest",
        "_payload",
        "_pieces",
        "_pod",
        "_settings",
        "_size",
        "_status",
        "_tries",
        "asked",
        "exchange",
        "held",
        "lane",
        "over",
        "request",
        "request_id",
        "sent",
        "upstream",
    )

    def __init__(
        self, ends: Ends, settings: Settings, lane: Lane, exchange: Exchange, request_id: bytes
    ) -> None:
        self._ends, self._settings = ends, settings
        self.lane, self.exchange, self.request_id = lane, exchange, request_id
        self.request: InferRequest
        self.over = False
        self.sent = 0.0
        self.upstream = 0.0
        """Seconds from the first try to the end of the answer."""

        self.asked = False
        """Whether a pod was sent the request."""

        self._headers = self._payload = b""
        self._pod: Pod | None = None
        self._connection: PodConnection | None = None
        self._tries = self._status = self._size = self._longest = 0
        self._enough = min(_SHORT_ANSWER, settings.longest_answer)
        """Bytes of an answer that are taken without another look."""

        self._pieces: list[bytes | bytearray] = []
        self.held = 0
        """Bytes of the answer that count as held, until the call is over."""

    @property
    def weight(self) -> int:
        """Bytes that are kept until it is over, so that a pod can be asked once more."""
        return len(self._payload)

    def start(self, request: InferRequest, payload: bytes) -> None:
        """Ask a pod."""
        self.request, self._payload = request, payload
        self._headers = self._passed_on()
        self.sent = monotonic()
        self._try(self.lane.choose(), fresh=False)

    def expired(self) -> None:
        """The model takes too long."""
        if self._status:
            self._fail(504, f"it did not end its answer within {self._settings.whole_seconds:g} s")
        else:
            limit = min(self._settings.first_byte_seconds, self._settings.whole_seconds)
            self._fail(504, f"it did not answer within {limit:g} s")

    def abandon(self) -> None:
        """Nobody waits for the answer any longer."""
        self.over = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        self._let_go()

    def connected(self, connection: PodConnection) -> bool:
        """See Asker."""
        if self.over:
            return False
        assert self._pod is not None
        self._connection, self.asked = connection, True
        payload = self._payload
        head = b"%b%b%bContent-Length: %d\r\n\r\n" % (
            self.lane.head,
            self._pod.host_line,
            self._headers,
            len(payload),
        )
        connection.send(head + payload if len(payload) <= _ONE_PIECE else (head, payload), self)
        return True

    def unreachable(self, error: Exception) -> None:
        """See Asker."""
        if self.over:
            return
        pod = self._let_go()
        if none_left(error):
            self._fail(503, "the gateway may open no more connections")
        else:
            took_it = isinstance(error, ConnectionResetError)
            if not (self._try_another(pod) or (took_it and self._try_again(pod))):
                self._fail(503, "no pod of it takes a connection; its `callers` may leave the gateway out")

    def on_head(self, status: int, headers: Headers) -> None:
        """See Receiver."""
        self._status = status
        self.exchange.connection.deadline = self.sent + self._settings.whole_seconds

    def on_body(self, chunk: bytes) -> None:
        """See Receiver."""
        self._size += len(chunk)
        if self._size > self._enough and not self._has_room():
            return
        pieces = self._pieces
        if not pieces or len(chunk) >= SMALL:
            pieces.append(chunk)
        elif type(pieces[-1]) is bytearray:
            pieces[-1] += chunk
        else:
            pieces.append(bytearray(chunk))

    def on_lost(self, error: Exception, begun: bool) -> None:
        """See Receiver. What a pod may have read is not sent again: whatever it did, it may have done."""
        connection, self._connection = self._connection, None
        assert connection is not None
        pod = self._let_go()
        answered = begun or connection.malformed
        if not (answered or connection.perhaps_read) and (self._try_another(pod) or self._try_again(pod)):
            return
        self._fail(502 if answered else 503, f"its pod broke off: {error}")

    def on_end(self) -> None:
        """See Receiver."""
        self.upstream = monotonic() - self.sent
        self._connection = None
        pod = self._let_go()
        if self._status == 503 and self._try_another(pod):
            return
        try:
            answer = self._read()
        except Refused as problem:
            self._end(problem)
        except Exception:
            logger.exception(
                "An answer could not be read",
                extra={
                    "namespace": self.lane.namespace,
                    "model": self.lane.model,
                    "version": self.lane.name,
                    "request_id": self.request_id.decode("latin-1"),
                },
            )
            self._end(Refused(500, FAILED))
        else:
            self.over = True
            self._ends.succeeded(self, answer)

    def _has_room(self) -> bool:
        """Count a long answer as held. False: it is too long, or too much is held, and the call has failed."""
        if not self._longest:
            needed = protocol.longest_answer(self.request.rows, self.lane.version.target)
            self._longest = min(needed, self._settings.longest_answer)
        if self._size > self._longest:
            self._fail(502, f"its answer is larger than {self._longest} bytes")
            return False
        if not self._ends.hold(self._size - self.held):
            self._fail(503, "the gateway holds as much of answers as it may")
            return False
        self.held = self._size
        return True

    def _read(self) -> protocol.Answer:
        lane, body = self.lane, self._joined()
        if self._status != 200:
            raise protocol.from_model(lane.model, lane.name, self._status, body, lane.path)
        return protocol.to_client(self.request, lane.version.target, lane.model, lane.name, body)

    def _joined(self) -> bytes:
        """The answer; nothing is kept in pieces any longer."""
        pieces, self._pieces = self._pieces, []
        first = pieces[0] if pieces else b""
        return first if len(pieces) == 1 and type(first) is bytes else b"".join(pieces)

    def _passed_on(self) -> bytes:
        """Lines that tell the model which request this is part of. Nothing else of the client's is its business."""
        lines, headers = b"X-Request-Id: %b\r\n" % self.request_id, self.exchange.headers
        return lines + trace_lines(headers)

    def _try(self, pod: Pod | None, *, fresh: bool) -> None:
        if pod is None:
            self._fail(503, "none of its pods is ready" if self.lane.serves else _NO_PODS)
            return
        now = self.sent
        if self._tries:
            self._ends.retried()
            self._forget_answer()
            now = monotonic()
        self._tries += 1
        settings = self._settings
        self.exchange.connection.deadline = min(
            now + settings.first_byte_seconds, self.sent + settings.whole_seconds
        )
        self._pod = pod
        pod.in_flight += 1
        pod.reach(self, fresh=fresh)

    def _forget_answer(self) -> None:
        """Keep nothing of what the pod before has said."""
        self._status = self._size = 0
        self._pieces.clear()
        if self.held:
            self._ends.hold(-self.held)
            self.held = 0

    def _try_another(self, but: Pod | None) -> bool:
        """Ask another pod, if there is one and a try is left."""
        if self._tries >= TRIES:
            return False
        self.lane = self._ends.lane_now(self.lane)
        pod = self.lane.choose(but=but)
        if pod is not None:
            self._try(pod, fresh=False)
        return pod is not None

    def _try_again(self, pod: Pod | None) -> bool:
        """Ask the same pod by a new connection, if it is still there and a try is left."""
        if self._tries >= TRIES or pod not in self.lane.pods:
            return False
        self._try(pod, fresh=True)
        return True

    def _let_go(self) -> Pod | None:
        pod, self._pod = self._pod, None
        if pod is not None:
            pod.in_flight -= 1
        return pod

    def _fail(self, status: int, what: str) -> None:
        self.upstream = monotonic() - self.sent
        said = f"model {quoted(self.lane.model)} version {quoted(self.lane.name)}: {what}"
        self._end(Refused(status, said))

    def _end(self, problem: Refused) -> None:
        self.abandon()
        self._ends.failed(self, problem)
