"""ModelLedger: facts in a form that can be trusted. Who may write them is a matter of rights, not of the schema."""

from __future__ import annotations

from typing import Any

from tests.apiserver.rules.words import Case, Manifest
from tests.support.objects import make_ledger

KEY, AT = "0123456789", "2026-01-01T00:00:00Z"

PROMOTION = {"key": KEY, "label": "1.0", "at": AT, "reason": "Newest"}


def version(**fields: Any) -> Manifest:
    return {"key": KEY, "name": "hello-1", "label": "1.0", **fields}


def verdict(**fields: Any) -> Manifest:
    tested = {"gate": "0", "image": "i", "codeDigest": "c", "templateHash": "t"}
    return make_ledger(versions=[version(verdict={"result": "Passed", "at": AT, **tested, **fields})])


LEDGERS: list[Case] = [
    ("a ledger", make_ledger(), ""),
    ("a ledger of no model", make_ledger(modelName=None), "spec.modelName: Required value"),
    ("twenty promotions", make_ledger(promotions=[PROMOTION] * 20), ""),
    (
        "21 promotions",
        make_ledger(promotions=[PROMOTION] * 21),
        "spec.promotions: Too many: 21: must have at most 20 items",
    ),
    (
        "one version twice",
        make_ledger(versions=[version(), version(name="hello-2", label="2.0")]),
        f'spec.versions[1]: Duplicate value: {{"key":"{KEY}"}}',
    ),
    (
        "a version without a label",
        make_ledger(versions=[{"key": KEY, "name": "hello-1"}]),
        "spec.versions[0].label: Required value",
    ),
    ("a verdict", verdict(tests=[{"test": "rows", "result": "Failed", "message": "x" * 1024}]), ""),
    (
        "a verdict in another word",
        verdict(result="Perhaps"),
        'spec.versions[0].verdict.result: Unsupported value: "Perhaps": supported values: "Passed", "Failed"',
    ),
    (
        "a verdict at no time",
        verdict(at="yesterday"),
        'spec.versions[0].verdict.at: Invalid value: "yesterday": spec.versions[0].verdict.at in body must be of '
        'type date-time: "yesterday"',
    ),
    (
        "a finding of 1025 characters",
        verdict(tests=[{"test": "rows", "result": "Failed", "message": "x" * 1025}]),
        "spec.versions[0].verdict.tests[0].message: Too long: may not be more than 1024 bytes",
    ),
    ("a turn", make_ledger(testing={"name": "check", "uid": "u-1", "since": AT}), ""),
    (
        "a turn of a test that may have been made anew",
        make_ledger(testing={"name": "check", "since": AT}),
        "spec.testing.uid: Required value",
    ),
]
