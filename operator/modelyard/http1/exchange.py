"""One request to us and its answer, who answers, and the limits that a client is held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

FAILED: Final = "this failed for a fault of ours; the log says why"
"""What is answered with 500."""

_TOLD: Final = 200
"""Bytes of a target that a log line holds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take of us; times in seconds, sizes in bytes."""

    head_bytes: int = 16 * 1024
    """Request line and headers."""

    body_bytes: int = 64 * 1024 * 1024
    """A body, as it is sent."""

    held_bytes: int = 256 * 1024 * 1024
    """Bodies of all connections together, from their first byte until they are answered, and what of the answers
    waits for clients to read; pieces of up to 16 KiB are not counted."""

    head_seconds: float = 10.0
    """From the first byte of a request to the end of its headers."""

    body_seconds: float = 60.0
    """From there to the end of its body. While too much is held, those of whose bodies less than 16 KiB a second came
    for a tenth of it are refused."""

    idle_seconds: float = 75.0
    """Until the first request, and between two."""

    write_seconds: float = 30.0
    """In which a client that leaves answers unread must have read them, or more of them: 16 KiB a second. While too
    much is held, those that have left answers unread for a tenth of it are cut off."""

    linger_seconds: float = 2.0
    """For which what a refused client still sends is thrown away, so that it can read why."""

    age_seconds: float = 600.0
    """After which a connection ends with its next answer, so that a new gateway gets its share."""

    connections: int = 4096
    """Open at once; for one more the one that has been idle longest is closed, or the new one where none is idle."""

    half_closed: bool = False
    """Whether a client that ends its side of a connection is still worked for, and answered: it may wait for that, or
    be gone altogether."""


class Carrier(Protocol):
    """What an exchange needs of its connection."""

    deadline: float
    """When `Handler.expired` is called, by time.monotonic; to be set while the exchange is under way."""

    def finish(self, exchange: Exchange) -> None:
        """Send the answer as soon as it is its turn."""


class Exchange:
    """One request, and one answer to it."""

    __slots__ = (
        "answered",
        "began",
        "body",
        "complete",
        "connection",
        "content",
        "context",
        "discard",
        "expects",
        "headed",
        "headers",
        "held",
        "keep",
        "length",
        "method",
        "old",
        "pieces",
        "reply_headers",
        "size",
        "started",
        "status",
        "target",
    )

    def __init__(self, connection: Carrier) -> None:
        self.connection = connection
        self.method = b""
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        """By their names in lower case; what came twice is joined by commas."""

        self.length: int | None = None
        """Of the body, as announced; None: nothing is, or it comes in chunks."""

        self.body = b""
        self.size = 0
        """Bytes of the body that have come."""

        self.held = 0
        """Those of them that count as held."""

        self.discard = False
        """Set by a handler that has no use for the body."""

        self.context: Any = None
        """The handler's own."""

        self.began = 0.0
        """When the whole request had come, by time.monotonic."""

        self.status = 0
        """Of the answer; `reply_headers` and `content` are the rest of it."""

        self.reply_headers = self.content = b""
        self.pieces: list[bytes | bytearray] | None = None
        self.keep = True
        self.old = self.expects = self.headed = self.complete = self.started = self.answered = False

    @property
    def described(self) -> dict[str, str]:
        """What a log line tells of it: the client's own words, so not many."""
        return {"method": self.method.decode("latin-1"), "path": self.target[:_TOLD].decode("latin-1")}

    @property
    def has_body(self) -> bool:
        """Whether a body was announced."""
        return bool(self.length) or b"transfer-encoding" in self.headers

    @property
    def framing(self) -> bytes:
        """The header that says where the body ends."""
        return b"Transfer-Encoding: chunked" if self.length is None else b"Content-Length: %d" % self.length

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        """Answer, once: later calls do nothing. `headers` are lines with CRLF, those on length and connection aside."""
        if not self.answered:
            self.answered = True
            self.status, self.reply_headers, self.content = status, headers, body
            self.connection.finish(self)


class Handler(Protocol):
    """Who answers."""

    def head(self, exchange: Exchange) -> None:
        """The headers have come. An answer given now is the last of its connection."""

    def complete(self, exchange: Exchange) -> None:
        """The whole request has come, and all before it were answered. One that raises is answered with 500."""

    def refuse(self, exchange: Exchange, status: int, message: str) -> None:
        """Answer what breaks HTTP or a limit; of the exchange there may be nothing but this."""

    def expired(self, exchange: Exchange) -> None:
        """The deadline has passed: answer."""

    def gone(self, exchange: Exchange) -> None:
        """The client of a complete request is gone, and no answer can be given."""
