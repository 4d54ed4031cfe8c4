"""What must be true after every single write, whatever the story.

the chart gives the operator the right to it
a label belongs to one version key for ever
the stable Service selects only a version whose verdict is Passed, for the very template that runs
the Service of a version tells of columns only what stands in the ledger beside its verdict
the pods of a test's Job, and of its copy of a version, carry neither `serves` nor `model`
a test makes something only while the ledger says that it is its turn, and the turn moves on only when it ended
a test that has ended has no copy of a version any more
"""

from __future__ import annotations

import json
from typing import Any

from modelyard.api import labels
from modelyard.api.custom_model import CustomModel
from modelyard.api.kinds import CUSTOM_MODEL, DEPLOYMENT, MODEL_LEDGER, MODEL_TEST
from modelyard.manifests.service import NOBODY
from modelyard.roles.gate import gate_hash, tests_of
from tests.support.rights import may_write
from tests.support.world_api import WorldApi, Write, addresses

Manifest = dict[str, Any]

PLAYED = "update"
"""The verb of a status that a test has set itself, in place of a kubelet or a controller."""


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
        if write.actor == "operator" and write.verb != PLAYED:
            self._is_allowed(write)
        if write.after is None or write.actor != "operator":
            return
        if write.kind == "ModelLedger":
            self._labels_stay(write.after)
            self._promoted_by_the_gate_as_it_is(write)
            self._turns_are_kept(write)
        if write.kind == "Service" and write.name == _model(write.after):
            self._serves_only_what_passed(write.after)
        if write.kind == "Service" and labels.OF_VERSION in write.after["metadata"]["labels"]:
            self._tells_only_what_is_known(write.after)
        if write.kind in ("Job", "Deployment") and labels.OF_TEST in write.after["metadata"]["labels"]:
            found = write.after["spec"]["template"]["metadata"]["labels"]
            assert not {labels.SERVES, labels.MODEL} & found.keys(), f"{write} can get traffic"
            if write.before is None:
                self._has_its_turn(write)
        if write.kind == "ModelTest" and _has_ended(write.after):
            self._has_no_copy(write.after)

    def _is_allowed(self, write: Write) -> None:
        assert may_write(write.verb, write.kind, write.subresource), f"{write}: the chart gives no right to"

    def _has_its_turn(self, write: Write) -> None:
        metadata = (write.after or {})["metadata"]
        test, model = metadata["labels"][labels.OF_TEST], metadata["labels"][labels.OF_MODEL]
        if (MODEL_TEST, metadata["namespace"], test) not in self._api.objects:
            return  # it was deleted this moment, and what it owned is collected
        testing = self._api.get(MODEL_LEDGER, metadata["namespace"], model)["spec"].get("testing") or {}
        owner = metadata["ownerReferences"][0]["uid"]
        assert testing.get("uid") == owner, f"{write} while it is the turn of {testing.get('name')}"

    def _turns_are_kept(self, write: Write) -> None:
        """One runs at a time: whose turn it was has ended, or is gone, when it is another's."""
        before, after = (
            (ledger or {}).get("spec", {}).get("testing") or {} for ledger in (write.before, write.after)
        )
        if not before or before["uid"] == after.get("uid"):
            return
        held = self._api.objects.get(
            (MODEL_TEST, (write.after or {})["metadata"]["namespace"], before["name"])
        )
        is_same = held is not None and held["metadata"]["uid"] == before["uid"]
        assert held is None or not is_same or _has_ended(held), f"{write} while {before['name']} has its turn"

    def _has_no_copy(self, test: Manifest) -> None:
        for kind, namespace, name in addresses(self._api, "Deployment"):
            owners = self._api.get(kind, namespace, name)["metadata"].get("ownerReferences", [])
            assert not any(owner["uid"] == test["metadata"]["uid"] for owner in owners), f"{name} is left"

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

    def _tells_only_what_is_known(self, service: Manifest) -> None:
        metadata = service["metadata"]
        told = json.loads(metadata["annotations"][labels.ROUTE]).get("columns")
        if told is None:
            return
        model, key = metadata["labels"][labels.OF_MODEL], metadata["labels"][labels.OF_VERSION]
        ledger = self._api.get(MODEL_LEDGER, metadata["namespace"], model)
        verdict = next(fact for fact in ledger["spec"]["versions"] if fact["key"] == key)["verdict"]
        assert (verdict["result"], verdict["columns"]) == ("Passed", told), (
            f"{metadata['name']} tells of {told}"
        )
        assert metadata["name"].endswith(verdict["templateHash"]), f"{metadata['name']} was not tested"


def _has_ended(test: Manifest) -> bool:
    return "completedAt" in test.get("status", {})


def _model(service: Manifest) -> str | None:
    found = service["metadata"].get("labels", {})
    return None if labels.OF_VERSION in found else found.get(labels.OF_MODEL)
