"""Bodies that came compressed, bounded by what they unfold to. Pure."""

from __future__ import annotations

import zlib

from modelyard.gateway.protocol.refusal import Refused
from modelyard.gateway.protocol.words import quoted

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""What `wbits` means to zlib."""


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding (gzip, deflate, identity); 413 beyond `limit` bytes, 415 for others."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _unfolded(body, _GZIP, limit)
        case "deflate":
            return _unfolded(body, _ZLIB if _has_zlib_header(body) else _RAW, limit)
        case _:
            raise Refused(
                415, f"Content-Encoding is {quoted(encoding)}; gzip, deflate and identity are understood"
            )


def _has_zlib_header(body: bytes) -> bool:
    """Some clients send bare deflate data, as HTTP was long misread."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _unfolded(body: bytes, wbits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    try:
        text = stream.decompress(body, limit + 1)
    except zlib.error:
        raise Refused(400, "the body is not what its Content-Encoding says: it cannot be unfolded") from None
    if len(text) > limit:
        raise Refused(413, f"the body unfolds to more than {limit} bytes, the most that is taken")
    if not stream.eof:
        raise Refused(400, "the compressed body ends too early")
    if stream.unused_data:
        raise Refused(400, f"{len(stream.unused_data)} bytes follow the compressed body")
    return text
