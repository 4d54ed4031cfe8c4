"""The frozen record: there and back, and which of several counts."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.custom_model import GateTest
from modelyard.api.model_test import ModelTestSpec
from modelyard.manifests.frozen import from_revision, kept, revision
from modelyard.manifests.gate_test import gate_test, gate_test_name, is_asked
from modelyard.manifests.metadata import Owner
from tests.support.objects import make_dataset, make_gate
from tests.unit.manifests.builders import MODEL, make_frozen

FORMER = Owner(MODEL.kind, MODEL.namespace, MODEL.name, "former")


def _record(at: str, owner: Owner = MODEL, **overrides: Any) -> dict[str, Any]:
    made = revision(make_frozen(**overrides), owner)
    made["metadata"]["creationTimestamp"] = at
    return made


def test_what_was_frozen_comes_back_whole() -> None:
    frozen = make_frozen(replicas=3, requiresHa=True, networkEgressPolicy="PUBLIC")
    assert from_revision(revision(frozen, MODEL)) == frozen
    assert frozen.workload == f"hello-1-{frozen.template_hash}"


def test_the_oldest_record_of_the_model_as_it_is_now_counts() -> None:
    records = [
        _record("2026-01-01T12:00:02Z", replicas=3),
        _record("2026-01-01T12:00:01Z", replicas=2),
        _record("2026-01-01T12:00:00Z", FORMER),
    ]
    chosen = kept(records, MODEL.uid)
    assert chosen is not None
    assert chosen.replicas == 2
    assert kept(records[2:], MODEL.uid) is None


def test_of_two_records_of_one_second_every_pass_takes_the_same() -> None:
    records = [_record("2026-01-01T12:00:00Z", replicas=n) for n in (1, 2, 3)]
    assert kept(records, MODEL.uid) == kept(records[::-1], MODEL.uid)


GATE = GateTest.model_validate(make_gate("accuracy")["tests"][0])
ASKED = ModelTestSpec.model_validate(gate_test(make_frozen(), MODEL, GATE)["spec"])


def test_a_test_as_the_gate_made_it_is_asked() -> None:
    name = gate_test_name(make_frozen(), GATE)
    assert is_asked({name: ASKED}, make_frozen(), GATE)
    assert not is_asked({}, make_frozen(), GATE)
    assert not is_asked({"other": ASKED}, make_frozen(), GATE)


@pytest.mark.parametrize(
    "change",
    [
        {"configuration": {"errorCheck": "skip"}},
        {"dataset": make_dataset('{"x": []}')},
        {"dataset": None},
        {"timeoutSeconds": 10},
        {"versionRef": {"name": "other"}},
    ],
    ids=["configuration", "data", "no data", "time", "version"],
)
def test_a_test_of_that_name_that_asks_another_thing_is_not(change: dict[str, Any]) -> None:
    found = ModelTestSpec.model_validate({**ASKED.to_json(), **change})
    assert not is_asked({gate_test_name(make_frozen(), GATE): found}, make_frozen(), GATE)
