"""Heads that came before, byte for byte, on the same connection: they say what they said then. Pure.

Who keeps a connection sends the same path and headers again and again; to parse them anew costs more than all else
that is done with a small message. It holds only where a message begins, which is the connection's to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from modelyard.http1.exchange import Exchange

Headers = Sequence[tuple[bytes, bytes]]
"""Names (in lower case) and values, in the order in which they came."""

MOST_BYTES: Final = 2048
MOST_HEADERS: Final = 32
"""What is kept of each connection, even of an idle one, has to be little."""

_END: Final = b"\r\n\r\n"
_PECULIAR: Final = (b"expect", b"upgrade", b"transfer-encoding")


class RequestHead(NamedTuple):
    """The head of a request that was taken as it is."""

    data: bytes
    whole: int
    """Bytes of head and body together."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    length: int

    def tell(self, exchange: Exchange) -> None:
        """Tell an exchange what this head says."""
        exchange.method, exchange.target, exchange.headers = self.method, self.target, self.headers
        exchange.length = self.length
        exchange.headed = True


class AnswerHead(NamedTuple):
    """The head of an answer with status 200."""

    data: bytes
    whole: int
    headers: Headers


def request_head(data: bytes | memoryview, exchange: Exchange) -> RequestHead | None:
    """The head of a request that was parsed, if `data` is the whole of it and nothing else."""
    length, headers = exchange.length, exchange.headers
    if length is None or not isinstance(data, bytes) or not exchange.keep or exchange.old:
        return None
    end = _end(data, length, len(headers))
    if end is None or any(name in headers for name in _PECULIAR):
        return None
    return RequestHead(data[:end], len(data), exchange.method, exchange.target, headers, length)


def answer_head(data: bytes, status: int, headers: Headers) -> AnswerHead | None:
    """The head of an answer that was parsed, if `data` is the whole of it and nothing else."""
    lengths = [value for name, value in headers if name == b"content-length"]
    if status != 200 or len(lengths) != 1 or any(name in _PECULIAR for name, _ in headers):
        return None
    end = _end(data, int(lengths[0]), len(headers))
    return None if end is None else AnswerHead(data[:end], len(data), headers)


def _end(data: bytes, length: int, headers: int) -> int | None:
    """Where the head ends; None if it is too large, or a body of `length` is not all that follows."""
    end = data.find(_END) + len(_END)
    return end if end + length == len(data) and end <= MOST_BYTES and headers <= MOST_HEADERS else None
