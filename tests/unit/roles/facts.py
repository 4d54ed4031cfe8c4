"""Ledgers in a line: `ledger("1.0 passed", "2.0 failed", serving="1.0")`. A version's key is `k` and its label."""

from __future__ import annotations

from datetime import UTC, datetime

from modelyard.api.model_ledger import ModelLedgerSpec, ServingFact, VerdictFact, VersionFact
from modelyard.roles import labels

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
GATE = "gate"
OTHER_GATE = "another"


def key(label: str) -> str:
    """The key of the version with this label."""
    return f"k{label}"


def version(text: str) -> VersionFact:
    """ "2.0 failed another": label, verdict if there is one, and the gate that spoke it if not GATE."""
    label, *rest = text.split()
    gate = rest[1] if len(rest) > 1 else GATE
    return VersionFact(
        key=key(label), name=f"hello-{label}", label=label, verdict=verdict(rest[0], gate) if rest else None
    )


def verdict(result: str, gate: str = GATE, template: str = "t") -> VerdictFact:
    """A verdict on the template `t`."""
    said = "Passed" if result == "passed" else "Failed"
    return VerdictFact(
        result=said,
        at=NOW,
        gate=gate,
        image="image",
        code_digest="sha256:c",
        template_hash=template,
    )


def ledger(
    *versions: str, serving: str | None = None, previous: str | None = None, switched: datetime | None = NOW
) -> ModelLedgerSpec:
    """What is known of the model `hello`."""
    facts = [version(text) for text in versions]
    now_serving = serving and ServingFact(
        key=key(serving),
        name=f"hello-{serving}",
        label=serving,
        since=NOW,
        switched_at=switched,
        previous_key=key(previous) if previous else None,
    )
    top = labels.highest([fact.label for fact in facts])
    return ModelLedgerSpec(
        model_name="hello",
        serving=now_serving or None,
        versions=facts,
        highest_label=str(top) if top else None,
    )
