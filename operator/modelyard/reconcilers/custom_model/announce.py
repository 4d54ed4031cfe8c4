"""Events of a model: the few moments that people want to see in `kubectl describe`. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from modelyard.api.model_ledger import ModelLedgerSpec, VersionFact
from modelyard.roles.gate import failures, remarks
from modelyard.roles.roles import fact_of

Severity = Literal["Normal", "Warning"]


def announcements(before: ModelLedgerSpec, after: ModelLedgerSpec) -> Iterator[tuple[str, str, Severity]]:
    """(reason, message, type) of what became a fact in this pass."""
    for fact in after.versions:
        yield from _verdict(fact_of(before, fact.key), fact)
    serving, served = after.serving, before.serving
    if serving and (served is None or served.key != serving.key):
        took_over = f' and takes over from "{served.name}" ({served.label})' if served else ""
        yield "Promoted", f'version "{serving.name}" ({serving.label}) serves{took_over}', "Normal"


def _verdict(before: VersionFact | None, after: VersionFact) -> Iterator[tuple[str, str, Severity]]:
    verdict = after.verdict
    if verdict is None or (before and before.verdict == verdict):
        return
    if verdict.result == "Passed":
        passed = f'version "{after.name}" ({after.label}) passed its tests'
        yield "TestsPassed", "; ".join([passed, *remarks(verdict)]), "Normal"
        return
    failed = "; ".join(f'test "{test.test}": {test.message}' for test in failures(verdict))
    yield "TestsFailed", f'version "{after.name}" ({after.label}) is refused: {failed}', "Warning"
