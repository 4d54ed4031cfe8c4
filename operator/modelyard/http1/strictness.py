"""What is refused of the headers of a request that a parser lets pass. Pure.

The parser refuses what smuggles requests: lengths that contradict each other or chunks, lines that end or go on
otherwise than by CRLF, spaces before colons, chunk sizes that are no numbers.
"""

from __future__ import annotations

from modelyard.http1.exchange import Exchange, Limits

Fault = tuple[int, str]
"""Status and message."""


def fault_of(exchange: Exchange, version: str, limits: Limits, read: int) -> Fault | None:
    """What is wrong with the headers; `read`: no more bytes than these belong to them.

    Notes in the exchange the length of its body and what its client expects.
    """
    headers = exchange.headers
    if version != "1.1":
        if version != "1.0":
            return 505, "the gateway speaks HTTP/1.1"
        exchange.old = True
        if b"transfer-encoding" in headers:
            return 400, "HTTP/1.0 knows no Transfer-Encoding"
    if read > limits.head_bytes and _size(exchange) > limits.head_bytes:
        return 431, f"the headers are larger than {limits.head_bytes} bytes"
    host = headers.get(b"host")
    if host is None:
        if not exchange.old:
            return 400, "the request has no Host"
    elif b"," in host:
        return 400, "the request has more than one Host"
    return _fault_of_body(exchange, limits)


def _fault_of_body(exchange: Exchange, limits: Limits) -> Fault | None:
    headers = exchange.headers
    length = headers.get(b"content-length")
    if length is not None:
        exchange.length = int(length)
        if exchange.length > limits.body_bytes:
            return 413, f"the body is larger than {limits.body_bytes} bytes"
    elif headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return 400, "of transfer encodings the gateway knows chunked alone"
    if b"expect" in headers and not exchange.old:
        if headers[b"expect"].lower() != b"100-continue":
            return 417, "of expectations the gateway knows 100-continue alone"
        exchange.expects = True
    return None


def _size(exchange: Exchange) -> int:
    line = len(exchange.method) + len(exchange.target) + len(" HTTP/1.1\r\n\r\n") + 1
    return line + sum(len(name) + len(value) + 4 for name, value in exchange.headers.items())
