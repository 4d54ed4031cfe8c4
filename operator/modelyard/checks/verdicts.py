"""What a check may conclude, and the words for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelyard.api.check_plan import CheckStatus, Severity
from modelyard.checks.answers import Answer, Reply, Trouble
from modelyard.checks.parsing import status_problem


@dataclass(frozen=True, slots=True)
class Passed:
    """The model keeps the promise that a check is about."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The model breaks it; the message says where and how."""

    message: str


Verdict = Passed | Failed

_FAILURE = {"skip": CheckStatus.SKIPPED, "warn": CheckStatus.WARNING, "fail": CheckStatus.FAILED}


def word_for(verdict: Verdict, severity: Severity) -> CheckStatus:
    """The word for a verdict; what a failure means is the user's to say."""
    return _FAILURE[severity] if isinstance(verdict, Failed) else CheckStatus.SUCCEEDED


def roll_up(statuses: Iterable[CheckStatus]) -> CheckStatus:
    """The word for a whole run: the worst of failed, aborted, warning; else succeeded."""
    found = set(statuses)
    for word in (CheckStatus.FAILED, CheckStatus.ABORTED, CheckStatus.WARNING):
        if word in found:
            return word
    return CheckStatus.SUCCEEDED


def readiness_problem(reply: Reply) -> str | None:
    """Why an answer to `GET <prefix>/` does not say "ready"; None when it does."""
    if isinstance(reply, Trouble):
        return reply.what
    return None if reply.status == 200 else status_problem(reply)


def is_strange(reply: Reply) -> bool:
    """Whether an answer can mean neither "ready" (200) nor "not ready yet" (503 and its kind)."""
    return isinstance(reply, Answer) and reply.status != 200 and reply.status < 500
