"""What must be true after every single write, whatever the story.

a label belongs to one version key for ever
the stable Service selects only a version whose verdict is Passed, for the very template that runs
a Job's pods carry neither `serves` nor `model`
"""

from __future__ import annotations

from typing import Any

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel
from modelyard.api.kinds import CUSTOM_MODEL, DEPLOYMENT, MODEL_LEDGER
from modelyard.manifests.service import NOBODY
from modelyard.roles.gate import gate_hash, tests_of
from tests.support.world_api import WorldApi, Write, addresses

Manifest = dict[str, Any]


class Invariants:
    """Watches a store from its first write on."""

    def __init__(self, api: WorldApi) -> None:
        self._api = api
        self._labels: dict[tuple[str, str, str], str] = {}
        self.checked = 0
        api.after_write = self.check

    def check(self, write: Write) -> None:
        """AssertionError names the write that broke a rule."""
        self.checked += 1
        if write.after is None or write.actor != "operator":
            return
        if write.kind == "ModelLedger":
            self._labels_stay(write.after)
            self._promoted_by_the_gate_as_it_is(write)
        if write.kind == "Service" and write.name == _model(write.after):
            self._serves_only_what_passed(write.after)
        if write.kind == "Job":
            found = write.after["spec"]["template"]["metadata"]["labels"]
            assert not {labels.SERVES, labels.MODEL} & found.keys(), f"{write} can get traffic"

    def _labels_stay(self, ledger: Manifest) -> None:
        owner = next((o["uid"] for o in ledger["metadata"].get("ownerReferences", [])), "")
        for fact in ledger["spec"]["versions"]:
            key = (owner, ledger["metadata"]["name"], fact["label"])
            given = self._labels.setdefault(key, fact["key"])
            assert given == fact["key"], f"label {fact['label']} was given to {given} and to {fact['key']}"

    def _promoted_by_the_gate_as_it_is(self, write: Write) -> None:
        before, after = (
            (ledger or {}).get("spec", {}).get("serving") for ledger in (write.before, write.after)
        )
        if after is None or (before and before["key"] == after["key"]):
            return
        ledger = write.after or {}
        metadata, facts = ledger["metadata"], ledger["spec"]["versions"]
        model = CustomModel.model_validate(
            self._api.get(CUSTOM_MODEL, metadata["namespace"], metadata["name"])
        )
        verdict = next(fact for fact in facts if fact["key"] == after["key"]).get("verdict") or {}
        assert verdict.get("gate") == gate_hash(tests_of(model.spec)), f"{after['name']} passed another gate"

    def _serves_only_what_passed(self, service: Manifest) -> None:
        selected = service["spec"]["selector"][labels.SERVES]
        if selected == NOBODY:
            return
        ledger = self._api.get(MODEL_LEDGER, service["metadata"]["namespace"], service["metadata"]["name"])
        fact = next(fact for fact in ledger["spec"]["versions"] if fact["key"] == selected)
        verdict = fact.get("verdict") or {}
        assert verdict.get("result") == "Passed", f"{fact['name']} serves untested"
        for kind, namespace, name in addresses(self._api, "Deployment"):
            deployment = self._api.get(DEPLOYMENT, namespace, name)
            if kind == DEPLOYMENT and deployment["metadata"]["labels"].get(labels.OF_VERSION) == selected:
                assert name.endswith(verdict["templateHash"]), f"{name} serves a template that was not tested"


def _model(service: Manifest) -> str | None:
    found = service["metadata"].get("labels", {})
    return None if labels.OF_VERSION in found else found.get(labels.OF_MODEL)
