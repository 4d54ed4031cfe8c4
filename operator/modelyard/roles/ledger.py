"""How a ledger grows: pure steps from one ledger to the next. The model's pass writes the result, once.

Facts are written before the act that they allow, so that a new operator that finds only the ledger does the
same thing again: a label that was given stays given, a version that was promoted stays promoted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from modelyard.api.model_ledger import (
    ModelLedgerSpec,
    PromotionFact,
    ServingFact,
    TestingFact,
    VerdictFact,
    VersionFact,
)
from modelyard.roles import labels
from modelyard.roles.roles import fact_of

DELETED_KEPT = 10
"""How many deleted versions keep their facts; older ones leave only the high-water label."""

MESSAGES_KEPT = 64
"""How many versions, the newest ones, keep their columns and the messages of their tests: a ledger stays far below
what etcd takes."""

PROMOTIONS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Declared:
    """A version object as far as labels are concerned."""

    key: str
    name: str
    label: str | None
    is_major_update: bool
    created: datetime


def rebuilt(
    model: str, known: Sequence[VersionFact], selected: str | None, *, now: datetime
) -> ModelLedgerSpec:
    """A ledger for a model that has none: new, or lost.

    Of a lost one the cluster still tells the labels (`known`, from the frozen records) and what serves
    (`selected`, from the stable Service). Verdicts are gone: all that does not serve is tested again.
    """
    serving = next((fact for fact in known if fact.key == selected), None)
    since = serving and ServingFact(
        key=serving.key, name=serving.name, label=serving.label, since=now, switched_at=now
    )
    top = labels.highest([fact.label for fact in known])
    return ModelLedgerSpec(
        model_name=model,
        serving=since,
        versions=_ordered(known),
        highest_label=str(top) if top else None,
    )


def label_conflict(ledger: ModelLedgerSpec, version: Declared) -> str | None:
    """Why the label that a version asks for can't be given; None when it can, or was given already."""
    if version.label is None or fact_of(ledger, version.key):
        return None
    holder = next((fact for fact in ledger.versions if fact.label == version.label), None)
    if holder and holder.name == version.name:
        return (
            f'spec.label "{version.label}" was given to an earlier version of this name with other content; '
            "a label is never given twice: choose another, or leave it out"
        )
    if holder:
        return (
            f'spec.label "{version.label}" belongs to version "{holder.name}" of this model; '
            "a label is never given to different content twice: choose another, or leave it out"
        )
    forgotten = ledger.highest_forgotten_label
    if forgotten and labels.parse(version.label) <= labels.parse(forgotten):
        return (
            f'spec.label "{version.label}" is not above "{forgotten}", up to which labels were given to versions '
            "that are deleted; choose a higher one, or leave it out"
        )
    return None


def with_labels(ledger: ModelLedgerSpec, declared: Collection[Declared]) -> ModelLedgerSpec:
    """Labels for all declared versions that have none, explicit ones first, then in order of creation."""
    for version in sorted(declared, key=lambda v: (v.label is None, v.created, v.name)):
        if not fact_of(ledger, version.key) and not label_conflict(ledger, version):
            ledger = _with_label(ledger, version)
    return ledger


def _with_label(ledger: ModelLedgerSpec, version: Declared) -> ModelLedgerSpec:
    top = labels.parse(ledger.highest_label) if ledger.highest_label else None
    label = version.label or str(labels.following(top, major=version.is_major_update))
    fact = VersionFact(key=version.key, name=version.name, label=label)
    return ledger.model_copy(
        update={
            "versions": _ordered([*ledger.versions, fact]),
            "highest_label": str(
                labels.highest([label, *([ledger.highest_label] if ledger.highest_label else [])])
            ),
        }
    )


def with_verdict(ledger: ModelLedgerSpec, key: str, verdict: VerdictFact) -> ModelLedgerSpec:
    """The verdict on a version; the latest one counts."""
    facts = [
        fact.model_copy(update={"verdict": verdict}) if fact.key == key else fact for fact in ledger.versions
    ]
    return ledger.model_copy(update={"versions": facts})


def with_promotion(ledger: ModelLedgerSpec, fact: VersionFact, *, now: datetime) -> ModelLedgerSpec:
    """From here on `fact` serves; what callers were with before drains once the switch is seen."""
    before = ledger.serving
    serving = ServingFact(
        key=fact.key,
        name=fact.name,
        label=fact.label,
        since=now,
        switched_at=None,
        previous_key=_called(before) if before else None,
    )
    promotion = PromotionFact(
        key=fact.key,
        label=fact.label,
        at=now,
        reason="TestsPassed",
        from_key=before.key if before else None,
    )
    return ledger.model_copy(
        update={"serving": serving, "promotions": [*ledger.promotions, promotion][-PROMOTIONS_KEPT:]}
    )


def _called(serving: ServingFact) -> str:
    """The version that the stable Service was last seen to send to; the first one has none before it."""
    return serving.key if serving.switched_at else serving.previous_key or serving.key


def with_switch(ledger: ModelLedgerSpec, *, now: datetime) -> ModelLedgerSpec:
    """The stable Service was seen to send to the version that serves: draining starts."""
    if ledger.serving is None:
        return ledger
    return ledger.model_copy(update={"serving": ledger.serving.model_copy(update={"switched_at": now})})


def with_turn(ledger: ModelLedgerSpec, testing: TestingFact | None) -> ModelLedgerSpec:
    """Which of the model's tests may run; None when none waits."""
    return ledger.model_copy(update={"testing": testing})


def without_forgotten(ledger: ModelLedgerSpec, live: Collection[str]) -> ModelLedgerSpec:
    """Of deleted versions only the last few stay; of the others the highest label is kept."""
    needed = {*live}
    if ledger.serving:
        needed |= {ledger.serving.key, ledger.serving.previous_key or ""}
    deleted = [fact for fact in ledger.versions if fact.key not in needed]
    forgotten = {fact.key for fact in deleted[: max(0, len(deleted) - DELETED_KEPT)]}
    if not forgotten:
        return ledger
    given = [fact.label for fact in ledger.versions if fact.key in forgotten]
    before = [ledger.highest_forgotten_label] if ledger.highest_forgotten_label else []
    return ledger.model_copy(
        update={
            "versions": [fact for fact in ledger.versions if fact.key not in forgotten],
            "highest_forgotten_label": str(labels.highest([*given, *before])),
        }
    )


def with_brief_verdicts(ledger: ModelLedgerSpec) -> ModelLedgerSpec:
    """Verdicts of old versions stay, without the messages of their tests, and without columns but for what serves or
    did just now."""
    serving = ledger.serving
    called = {serving.key, serving.previous_key} if serving else set()
    old, new = ledger.versions[:-MESSAGES_KEPT], ledger.versions[-MESSAGES_KEPT:]
    brief = [_brief(fact, keeps_columns=fact.key in called) for fact in old]
    return ledger.model_copy(update={"versions": [*brief, *new]})


def _brief(fact: VersionFact, *, keeps_columns: bool) -> VersionFact:
    if fact.verdict is None:
        return fact
    columns = fact.verdict.columns if keeps_columns else None
    if fact.verdict.columns == columns and not any(test.message for test in fact.verdict.tests):
        return fact
    tests = [test.model_copy(update={"message": ""}) for test in fact.verdict.tests]
    brief = fact.verdict.model_copy(update={"tests": tests, "columns": columns})
    return fact.model_copy(update={"verdict": brief})


def _ordered(facts: Sequence[VersionFact]) -> list[VersionFact]:
    return sorted(facts, key=lambda fact: labels.parse(fact.label))
