"""What is answered in place of predictions. Pure."""

from __future__ import annotations

from modelyard.gateway.protocol.traces import told
from modelyard.gateway.protocol.words import quoted

_QUOTED = frozenset({400, 413, 415, 422})
"""Statuses by which a model says that the data was wrong: the client's to mend, so they are told as a 400."""

_BUSY = frozenset({429, 503})


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

    A line of what the model said is quoted where it blames the data. The rest is nothing for clients: servers put
    their stack traces there.
    """
    said = f"model {quoted(model)} version {quoted(version)} answered HTTP {status}"
    if status in _QUOTED:
        why = told(body)
        return Refused(400, f"{said} with {why}" if why else said)
    if status == 404:
        said += f" at {quoted(path)}"
    return Refused(503 if status in _BUSY else 502, said)
