"""What is answered in place of predictions. Pure."""

from __future__ import annotations

import re
from typing import Final

from modelyard.gateway.protocol.words import body_excerpt, quoted

_QUOTED = frozenset({400, 413, 415, 422})
"""Statuses by which a model says that the data was wrong: the client's to mend, so they are told as a 400."""

_BUSY = frozenset({429, 503})

_TRACE: Final = re.compile(
    rb"""Traceback \(most recent call last\)"""
    rb"""|File (?:\\?"|&quot;|&#34;)[^"\n]{1,300}(?:"|&quot;|&#34;), line [0-9]"""
    rb"""|(?:\n|\\n)(?:\t|\\t|  +)at """
)
"""Lines of stack traces of Python, and of Java and JavaScript, also as texts of JSON and HTML."""

_LOOKED_AT: Final = 64 * 1024
"""Bytes of an answer in which they are looked for: many times what is quoted."""


class Refused(Exception):
    """Answer `status` with `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Wrong(Exception):
    """What is wrong with one input; whoever knows its name turns this into `Refused(400)`."""


class Unfit(Exception):
    """Element `index` does not fit its datatype; `what` is the verb and the rest of a sentence about it."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(index, what)
        self.index = index
        self.what = what


def from_model(model: str, version: str, status: int, body: bytes, path: str) -> Refused:
    """What the client is told when a model answered anything but 200 at this path, which is told when it is not known
    there: the route is wrong then, or the model.

    The start of what the model said is quoted where it blames the data, unless it holds a stack trace. The rest is
    nothing for clients: servers put their stack traces there.
    """
    said = f"model {quoted(model)} version {quoted(version)} answered HTTP {status}"
    if status in _QUOTED:
        traced = _TRACE.search(body, 0, _LOOKED_AT) is not None
        return Refused(400, said if traced else f"{said} with {body_excerpt(body)}")
    if status == 404:
        said += f" at {quoted(path)}"
    return Refused(503 if status in _BUSY else 502, said)
