"""READMEs that are run: the commands of a page, one after the other, with what the page says they print.

A fenced block marked `sh` holds commands. A block marked `text` right after it holds what they print. There,

- `…` stands for anything within one line, and a line of only `…` for any lines,
- an age (`42s`, `3m10s`) stands for any age, and a name's ending of 8 or 10 hexadecimal digits for any other,
- runs of blanks are one blank, so that columns may be wider or narrower.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<kind>\w*)(?: [A-Z][\w.]*)?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_WILD = re.compile(r"(?P<any>…)|(?P<age>\b(?:\d+[smhd])+\b)|(?P<hash>(?<=-)(?:[0-9a-f]{8}|[0-9a-f]{10})\b)")
_PATTERNS = {"any": ".*", "age": r"(?:\d+[smhd])+", "hash": "[0-9a-f]+"}


@dataclass(frozen=True, slots=True)
class Step:
    """Commands of one block, the line of the page where they begin, and what they print, if the page says."""

    line: int
    commands: str
    expected: str | None


def parse(page: str) -> list[Step]:
    """The steps of a page, in its order."""
    blocks = list(_BLOCK.finditer(page))
    steps = []
    for here, following in zip(blocks, [*blocks[1:], None], strict=True):
        if here["kind"] != "sh":
            continue
        says = following is not None and following["kind"] == "text"
        line = page.count("\n", 0, here.start()) + 2
        steps.append(Step(line, here["body"], following["body"] if says and following else None))
    return steps


def matches(expected: str, printed: str) -> bool:
    """Whether `printed` is what the page says, the whole of it."""
    pattern = "".join(_line_pattern(line) for line in _lines(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _line_pattern(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)*?"
    pattern, end = "", 0
    for wild in _WILD.finditer(line):
        pattern += re.escape(line[end : wild.start()]) + _PATTERNS[wild.lastgroup or "any"]
        end = wild.end()
    return pattern + re.escape(line[end:]) + r"\n"


def run(step: Step, *, folder: Path, environment: Mapping[str, str], timeout: float) -> str:
    """Run one step's commands by bash in `folder`; what they print.

    Raises AssertionError when a command fails or prints something else than the page says, and
    subprocess.TimeoutExpired after `timeout` seconds.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step.commands],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    said = f"line {step.line}:\n{step.commands}\nprinted (exit code {done.returncode}):\n{done.stdout}"
    assert done.returncode == 0, said
    assert step.expected is None or matches(step.expected, done.stdout), (
        f"{said}\nthe page says:\n{step.expected}"
    )
    return done.stdout
