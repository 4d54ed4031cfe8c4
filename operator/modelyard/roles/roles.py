"""The one decision on who serves, who is under test, and who is done.

Newest = highest label. A picture of four moments of one model; time runs to the right:

    v1  Candidate   Serving     Draining      Superseded
    v2              Candidate   Serving       Serving
    v3                                        Candidate -> Rejected

There is one candidate at a time: the highest labelled version above the serving one that was not refused by
the gate as it is now. When the object of the serving version is gone (Helm and Argo CD replace a version by
creating one and deleting another), any version that is still declared may take over, a lower label too: that
is what a roll-back in Git looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from modelyard.api.columns import InputColumn
from modelyard.api.model_ledger import ModelLedgerSpec, VersionFact
from modelyard.roles.labels import Label, parse

DRAIN = timedelta(seconds=30)
"""How long the pods of the version that served before stay after the switch."""


class Role(StrEnum):
    """What a version is to its model at this moment."""

    UNLABELLED = "Unlabelled"
    CANDIDATE = "Candidate"
    SERVING = "Serving"
    SUPERSEDED = "Superseded"
    REJECTED = "Rejected"


def roles(*, gate: str, live: Collection[str], ledger: ModelLedgerSpec) -> dict[str, Role]:
    """The role of every version key that is declared (`live`) or serves.

    `gate` is the hash of the model's gate as it is now: a refusal holds for the gate that spoke it.
    """
    facts = {fact.key: fact for fact in ledger.versions}
    serving = ledger.serving.key if ledger.serving else None
    next_up = candidate(gate=gate, live=live, ledger=ledger)

    def role(key: str) -> Role:
        if key == serving:
            return Role.SERVING
        if key not in facts:
            return Role.UNLABELLED
        if key == next_up:
            return Role.CANDIDATE
        return Role.REJECTED if is_refused(facts[key], gate) else Role.SUPERSEDED

    return {key: role(key) for key in {*live, *({serving} if serving else ())}}


def candidate(*, gate: str, live: Collection[str], ledger: ModelLedgerSpec) -> str | None:
    """Key of the version that is to be started, tested and promoted next; None when there is none."""
    serving = ledger.serving
    floor = parse(serving.label) if serving and serving.key in live else None
    contenders = [
        fact
        for fact in ledger.versions
        if fact.key in live
        and not is_refused(fact, gate)
        and not (serving and fact.key == serving.key)
        and (floor is None or parse(fact.label) > floor)
    ]
    return max(contenders, key=_label).key if contenders else None


def newest(*, live: Collection[str], ledger: ModelLedgerSpec) -> VersionFact | None:
    """The declared version with the highest label."""
    return max((fact for fact in ledger.versions if fact.key in live), key=_label, default=None)


def is_refused(fact: VersionFact, gate: str) -> bool:
    """Whether the gate, as it is now, has refused this version."""
    return fact.verdict is not None and fact.verdict.result == "Failed" and fact.verdict.gate == gate


def is_passed(fact: VersionFact, template_hash: str) -> bool:
    """Whether exactly this template, image and code of the version passed its tests."""
    verdict = fact.verdict
    return verdict is not None and verdict.result == "Passed" and verdict.template_hash == template_hash


def may_promote(fact: VersionFact, template_hash: str, gate: str) -> bool:
    """Whether it passed, and passed the gate as it is now: a gate that was tightened is asked again."""
    return is_passed(fact, template_hash) and fact.verdict is not None and fact.verdict.gate == gate


def columns_of(fact: VersionFact | None, template_hash: str) -> Sequence[InputColumn]:
    """The columns that exactly this template of the version passed its tests with, if one of them told."""
    if fact is None or fact.verdict is None or not is_passed(fact, template_hash):
        return ()
    return fact.verdict.columns or ()


def drain_ends(ledger: ModelLedgerSpec) -> datetime | None:
    """When the pods of the version that served before may end; None while the switch was not seen yet."""
    serving = ledger.serving
    if serving is None or serving.switched_at is None:
        return None
    return serving.switched_at + DRAIN


def is_draining(ledger: ModelLedgerSpec, key: str, now: datetime) -> bool:
    """Whether `key` served before the current version and its pods must stay a while yet."""
    serving = ledger.serving
    if serving is None or serving.previous_key != key or serving.key == key:
        return False
    ends = drain_ends(ledger)
    return ends is None or now < ends


def fact_of(ledger: ModelLedgerSpec, key: str) -> VersionFact | None:
    """What the ledger knows of a version."""
    return next((fact for fact in ledger.versions if fact.key == key), None)


def _label(fact: VersionFact) -> Label:
    return parse(fact.label)
