"""What of a model's own words a client is told: one line, and never a stack trace. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from modelyard.gateway.protocol.words import quoted

LOOKED_AT: Final = 64 * 1024
"""Bytes of an answer that are looked at: many times what is told. Of what is longer as a refusal, nothing is told."""

_TELLING: Final = ("error", "message", "detail", "msg")
"""Keys under which servers say what is wrong: the first that has a text is taken."""

_DEEPEST: Final = 4
"""Levels to which these are followed: `{"detail": [{"msg": "..."}]}` has three."""

_SOURCES: Final = (
    r"(?i:astro|bas|c|cc|clj|cljs|cpp|cr|cs|cxx|d|dart|erl|exs?|f90|fs|go|groovy|h|hpp|hrl|hs|java|jl|[cm]?[jt]sx?|kts?|"
    r"lua|mli?|mm?|nim|p[lmy]|php|pyx|r|rb|rs|scala|swift|v|vb|zig)"
)
"""Endings of the names of sources. Any ending would be that of a host with its port (`x.svc:80`), too."""

_TRACE: Final = re.compile(
    r"""(?i:\b(?:traceback|(?:stack|back|call) ?(?:trace|stack))\b ?[:(])"""
    r"""|File (?:\\?"|&quot;|&#34;)[^"\n]{1,300}(?:"|&quot;|&#34;), line [0-9]"""
    rf"""|\.(?:{_SOURCES})[:#](?:line )?[0-9]"""
    r"""|\.[A-Za-z][A-Za-z0-9]{0,9}["')]?,? (?:on )?line [0-9]"""
    r"""|\b(?:at|in) /\S{1,200} (?:on )?line [0-9]"""
    r"""|(?:\n|\\n)(?:\t|\\t|  +)at """
    r"""|\bat (?:[\w$<>]{1,100}\.){1,20}[\w$<>]{1,100}\("""
    r"""|\bgoroutine [0-9]{1,20} \["""
    r"""|\bpanicked at\b"""
    r"""|#[0-9]{1,3} +(?:0x[0-9a-f]|/|\S{1,200}\([0-9]{1,9}\):)"""
    r"""|\{line, ?[0-9]"""
)
"""Lines of stack traces: of Python, also in JSON and HTML; a name with its ending and a line (`score.go:41`), as nearly
all languages write a place in a source; headings and frames of those that do not."""


def told(body: bytes, longest: int = 200) -> str:
    """What a model says of data that it refuses, in quotes and cut to `longest` characters: the text for it where that
    is JSON, or the text that it is, and the first line of either. `an empty body` for one; empty for all else."""
    if len(body) > LOOKED_AT:
        return ""
    if not body.strip():
        return "an empty body"
    try:
        said = _said(orjson.loads(body))
    except orjson.JSONDecodeError:
        said = body.decode("utf-8", "replace")
    lines = said.strip().splitlines()
    if not lines or lines[0].startswith("<") or _TRACE.search(said):
        return ""
    return quoted(" ".join(lines[0].split()), longest)


def shows_trace(body: bytes) -> bool:
    """Whether the start of a body holds lines of a stack trace."""
    return _TRACE.search(body[:LOOKED_AT].decode("utf-8", "replace")) is not None


def _said(document: Any, levels: int = _DEEPEST) -> str:
    """The text of a document that says what is wrong; empty: it has none."""
    if isinstance(document, str) or not levels:
        return document if isinstance(document, str) else ""
    if isinstance(document, list):
        return _said(document[0], levels - 1) if document else ""
    if isinstance(document, dict):
        texts = (_said(document[key], levels - 1) for key in _TELLING if key in document)
        return next((text for text in texts if text.strip()), "")
    return ""
