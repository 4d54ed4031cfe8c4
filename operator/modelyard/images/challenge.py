"""What a registry asks for when it answers 401. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][A-Za-z0-9-]*)(?:\s+|$)")
_PARAMETER = re.compile(r'\s*,?\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate; `scheme` and the names of parameters are in lower case."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The value of a parameter; "" if it is not there."""
        return dict(self.parameters).get(name, "")


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges in the values of WWW-Authenticate; what cannot be read is left out."""
    return tuple(challenge for header in headers for challenge in _parse(header))


def _parse(header: str) -> Iterable[Challenge]:
    position = 0
    while (scheme := _SCHEME.match(header, position)) is not None:
        position = scheme.end()
        parameters: list[tuple[str, str]] = []
        while (found := _PARAMETER.match(header, position)) is not None:
            position = found.end()
            name, quoted, bare = found.groups()
            parameters.append((name.lower(), bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)))
        yield Challenge(scheme[1].lower(), tuple(parameters))
