"""Which trace a request is part of, as W3C's Trace Context has it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_PARENT: Final = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-[^, ]*)?"
)
"""Version, trace, span, flags. Of a later version than 00 there may be more behind a dash; a comma
stands between headers that were one each."""


def trace_lines(headers: Mapping[bytes, bytes]) -> bytes:
    """The lines that pass the trace of these headers on; none where `traceparent` is there twice or is none, without
    which `tracestate` means nothing."""
    parent = headers.get(b"traceparent", b"")
    found = _PARENT.fullmatch(parent) if parent else None
    if found is None or (found["more"] and found["version"] == b"00"):
        return b""
    lines = b"traceparent: %b\r\n" % parent
    if b"tracestate" in headers:
        lines += b"tracestate: %b\r\n" % headers[b"tracestate"]
    return lines
