"""Programs that answer what a test says, and remember how they were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.provider import ClusterUnavailable

VERSION = '{"serverVersion": {"major": "1", "minor": "34+", "gitVersion": "v1.34.2"}}'


class Played:
    """Answers by the beginning of a command without the program's path; an answer may be an error to raise."""

    def __init__(self, answers: Mapping[str, str | Exception]) -> None:
        self.answers = dict(answers)
        self.commands: list[list[str]] = []
        self.inputs: list[str] = []

    def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
        plain = [Path(command[0]).name, *command[1:]]
        self.commands.append(plain)
        if stdin is not None:
            self.inputs.append(stdin)
        line = " ".join(plain)
        fitting = [answer for start, answer in self.answers.items() if line.startswith(start)]
        answer = fitting[-1] if fitting else ""
        if isinstance(answer, Exception):
            raise answer
        return answer

    def lines(self, start: str = "") -> list[str]:
        """The commands that begin so."""
        return [line for line in map(" ".join, self.commands) if line.startswith(start)]


def refused(message: str) -> ClusterUnavailable:
    """What a program that failed comes to."""
    return ClusterUnavailable(message)
