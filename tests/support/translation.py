"""Two spellings of the same text: that of a world, which is the same in every run, and that of a real server.

A namespace, uids and addresses of Services are the server's to choose, and differ in every run. Each stands for
exactly one of the world's, everywhere in a text, so that nothing is lost on the way there and back.
"""

from __future__ import annotations

import re

_NAMED = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b10\.96\.\d{1,3}\.\d{1,3}\b")
"""Uids, and addresses of the range that Services get theirs from."""


class Translation:
    """Of one namespace. What was not learned means the same in both."""

    def __init__(self, namespace: str, real: str) -> None:
        self._namespace, self._real = namespace.encode(), real.encode()
        self._to_server: dict[bytes, bytes] = {}
        self._from_server: dict[bytes, bytes] = {}

    def knows(self, real: str) -> bool:
        """Whether this word of the server's was learned."""
        return real.encode() in self._from_server

    def learn(self, ours: str, real: str) -> None:
        """From now on one stands for the other."""
        self._to_server[ours.encode()] = real.encode()
        self._from_server[real.encode()] = ours.encode()

    def to_server(self, text: bytes) -> bytes:
        """A text of the world as the server is to see it."""
        return _replaced(text.replace(self._namespace, self._real), self._to_server)

    def from_server(self, text: bytes) -> bytes:
        """A text of the server as the world sees it."""
        return _replaced(text, self._from_server).replace(self._real, self._namespace)


def _replaced(text: bytes, words: dict[bytes, bytes]) -> bytes:
    return _NAMED.sub(lambda match: words.get(match[0], match[0]), text)
