"""Ids of requests: the client's own, if it can be passed on and logged as it is, or a new one."""

from __future__ import annotations

import itertools
import re
import secrets

_FIT = re.compile(rb"[!-~]{1,128}").fullmatch


class RequestIds:
    """Makes ids that no other process makes, and costs next to nothing a request."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(8).encode()
        self._next = itertools.count(1).__next__

    def of(self, headers: dict[bytes, bytes]) -> bytes:
        """The id of a request with these headers."""
        given = headers.get(b"x-request-id")
        if given is not None and _FIT(given):
            return given
        return b"%b-%d" % (self._prefix, self._next())
