"""The pages of the repository, and what stands between their fences."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"^```(?P<kind>\w*)(?: (?P<place>[A-Z][\w.]*))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEREDOC = re.compile(r"<<-?\s*'?(?P<end>\w+)'?")
_BETWEEN = {"|", "||", "&&", ";", "&", "(", ")"}


def tracked(pattern: str) -> list[Path]:
    """Files of the repository, new ones included, as git sees them."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in done.stdout.splitlines() if (path := ROOT / name).exists()]


def title(path: Path) -> str:
    """How a test calls a page."""
    return str(path.relative_to(ROOT))


def blocks(page: Path, *kinds: str) -> list[str]:
    """What stands between the fences of these kinds; "" is a fence without a word."""
    return [found["body"] for found in _FENCE.finditer(page.read_text("utf-8")) if found["kind"] in kinds]


def yaml_blocks(page: Path) -> Iterator[tuple[str | None, str]]:
    """What stands between the fences of YAML; a part of an object with its place, as in ```yaml ModelTest.spec."""
    for found in _FENCE.finditer(page.read_text("utf-8")):
        if found["kind"] == "yaml":
            yield found["place"], found["body"]


def commands(block: str) -> Iterator[list[str]]:
    """The words of each simple command of a shell script; what it pipes into is a command of its own."""
    text = re.sub(r"\\\n\s*", " ", _without_heredocs(block))
    for line in text.splitlines():
        yield from _simple(_words(line))


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    return list(lexer)


def _simple(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in _BETWEEN:
            command.append(word)
        elif command := _without_settings(command):
            yield command
            command = []


def _without_settings(words: list[str]) -> list[str]:
    """Without the `NAME=value` before a command."""
    rest = list(words)
    while rest and re.fullmatch(r"[A-Z_][A-Z_0-9]*=.*", rest[0]):
        rest.pop(0)
    return rest


def _without_heredocs(block: str) -> str:
    kept: list[str] = []
    end: str | None = None
    for line in block.splitlines():
        if end is None:
            kept.append(line)
            found = _HEREDOC.search(line)
            end = found["end"] if found else None
        elif line.strip() == end:
            end = None
    return "\n".join(kept)
