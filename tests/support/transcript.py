"""What happened, as a text that anybody can follow: when, who, what, and what the status says of it.

     +0 s  user        creates CustomModelVersion hello-2
           operator    creates Deployment hello-2-#1 (replicas 1)
    +12 s  operator    CustomModelVersion hello-2: Ready Unknown Starting -> True Serving
                           1 of 1 replicas ready

Hashes in names are numbered, so that a transcript changes when behaviour does and not when a byte does.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.telling import Act, Saying, standing, told
from tests.support.world_api import Write

Manifest = dict[str, Any]

GOLDEN = Path(__file__).parent.parent / "golden" / "stories"
LEGEND = """\
How to read this: seconds since the story began, who, what. A status is told as it was -> as it is, its message below.
user: anybody with kubectl. operator: Modelyard. kubernetes: runs pods. collector: removes what a deleted object owned.
hello-1, hello-2: versions of the model hello. #1, #2: stand for hashes in names."""
WIDTH = 116

_WHOLE_WORDS: Any = {"break_long_words": False, "break_on_hyphens": False}
_HASH = re.compile(r"-([0-9a-f]{8})(?![0-9a-f])")
_HEX = re.compile(r"\b[0-9a-f]{10}\b|sha256:[0-9a-f]{64}")


class Transcript:
    """Grows from writes and from what a story says itself."""

    def __init__(self, title: str, began: datetime) -> None:
        self._lines = [title, "", LEGEND]
        self._began = began
        self._at = ""
        self._names: dict[str, str] = {}
        self._versions: dict[str, str] = {}

    def begin(self, before: str, began: datetime) -> None:
        """Only now the story itself begins; before it, this came about."""
        self._lines.extend(["", f"Before: {before}.", ""])
        self._began = began

    def say(self, text: str) -> None:
        """A line of the story itself."""
        self._lines.extend(["", f"{text}.", ""])

    def learn(self, writes: Iterable[Write]) -> None:
        """Versions by their keys, from what ledgers say."""
        for write in writes:
            if write.kind == "ModelLedger" and write.after:
                self._versions |= {fact["key"]: fact["name"] for fact in write.after["spec"]["versions"]}

    def add(self, writes: Iterable[Write]) -> None:
        """The lines of these writes."""
        found = list(writes)
        self.learn(found)
        moments = [(write, one) for write in found for one in told(write, self._versions)]
        groups = itertools.groupby(moments, lambda moment: _group(*moment))
        for _, group in groups:
            (write, first), *others = group
            if isinstance(first, Act):
                acts = [first, *(one for _, one in others if isinstance(one, Act))]
                self._line(write, f"{first.verb} {_things(acts)}", "")
                continue
            for each, one in ((write, first), *others):
                assert isinstance(one, Saying)
                self._line(each, one.text, one.message)

    def close(self, objects: Iterable[Manifest]) -> None:
        """How things stand in the end."""
        found = [standing(manifest) for manifest in objects]
        self._lines.extend(["", "In the end:" if found else "In the end nothing is left.", ""])
        for one in found:
            self._lines.append(f"  {self._plain(one.text)}")
            self._lines.extend(self._quote(one.message, 6))

    def text(self) -> str:
        """The whole."""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).rstrip() + "\n"

    def _line(self, write: Write, text: str, message: str) -> None:
        at = f"+{(write.at - self._began).total_seconds():g} s" if write.at else ""
        shown = "" if at == self._at and self._lines[-1] else at
        self._at = at
        self._lines.append(f"{shown:>7}  {write.actor:<11} {self._plain(text)}")
        self._lines.extend(self._quote(message, 25))

    def _quote(self, message: str, indent: int) -> list[str]:
        margin = " " * indent
        return textwrap.wrap(
            self._plain(message), WIDTH, initial_indent=margin, subsequent_indent=margin, **_WHOLE_WORDS
        )

    def _plain(self, line: str) -> str:
        line = _HASH.sub(lambda match: f"-#{self._number(match[1])}", line)
        return _HEX.sub(lambda match: f"<{self._number(match[0])}>", line)

    def _number(self, found: str) -> str:
        return self._names.setdefault(found, str(len(self._names) + 1))


def _group(write: Write, one: Act | Saying) -> tuple[Any, ...]:
    """What is made or deleted by one hand at one moment is told in one line; all else for itself."""
    if isinstance(one, Act) and one.verb in ("creates", "deletes"):
        return write.actor, write.at, one.verb
    return (id(one),)


def _things(acts: Iterable[Act]) -> str:
    """`hello-1: Service, Deployment (replicas 1); ConfigMap files`."""
    parts = []
    for name, group in itertools.groupby(acts, lambda act: act.name):
        first, *others = group
        if others:
            parts.append(f"{name}: {', '.join(f'{act.kind}{_detail(act)}' for act in (first, *others))}")
        else:
            parts.append(f"{first.kind} {name}{_detail(first)}")
    return "; ".join(parts)


def _detail(act: Act) -> str:
    return f" ({act.detail})" if act.detail else ""
