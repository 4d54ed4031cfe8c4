"""Programs that answer what a test says, and remember how they were asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.cluster.programs import ProgramFailed

VERSION = '{"serverVersion": {"major": "1", "minor": "34+", "gitVersion": "v1.34.2"}}'

Answer = str | BaseException


class Played:
    """Answers by the beginning of a command without the program's path; an answer may be an error to raise, or an
    iterator of answers, one a time."""

    def __init__(self, answers: Mapping[str, Answer | Iterator[Answer]]) -> None:
        self.answers = dict(answers)
        self.commands: list[list[str]] = []
        self.inputs: list[str] = []

    def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
        plain = [Path(command[0]).name, *command[1:]]
        self.commands.append(plain)
        if stdin is not None:
            self.inputs.append(stdin)
        answer = self._answer(" ".join(plain))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _answer(self, line: str) -> Answer:
        fitting = [answer for start, answer in self.answers.items() if line.startswith(start)]
        answer = fitting[-1] if fitting else ""
        return next(answer) if isinstance(answer, Iterator) else answer

    def lines(self, start: str = "") -> list[str]:
        """The commands that begin so."""
        return [line for line in map(" ".join, self.commands) if line.startswith(start)]


def refused(message: str) -> ProgramFailed:
    """What a program that failed comes to."""
    return ProgramFailed(message)
