"""What should exist for a model, and which leftovers of versions should not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modelyard.api import labels
from modelyard.api.kinds import CONTROLLER_REVISION, MODEL_LEDGER, MODEL_TEST, NETWORK_POLICY
from modelyard.api.model_test import ModelTest
from modelyard.manifests.gate_test import gate_test_name, is_asked
from modelyard.manifests.metadata import Child, Manifest
from modelyard.manifests.service import stable_service
from modelyard.manifests.workload import children
from modelyard.reconcilers.custom_model.facts import Facts
from modelyard.reconcilers.custom_model.history import past_limits
from modelyard.roles.gate import awaits_data, says_nothing
from modelyard.roles.roles import Role, columns_of, fact_of, may_promote
from modelyard.settings import Settings

_LAST = frozenset({NETWORK_POLICY.name, CONTROLLER_REVISION.name})


PAUSE = timedelta(seconds=60)
"""How long a test that said nothing about the model stands before it is made anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Objects to apply, in order, and objects to delete."""

    apply: tuple[Manifest, ...] = ()
    delete: tuple[Manifest, ...] = ()


def ledger_manifest(facts: Facts) -> Manifest:
    """The ledger as it is to be written; when it replaces one, at its version and with what others noted on it."""
    child = Child(MODEL_LEDGER, facts.model.metadata.name, facts.owner, {labels.OF_MODEL: facts.owner.name})
    manifest = child.manifest(spec=facts.ledger.to_json())
    if facts.ledger_object:
        metadata = facts.ledger_object["metadata"]
        kept = ("resourceVersion", "uid", "annotations", "finalizers")
        manifest["metadata"] |= {key: metadata[key] for key in kept if key in metadata}
        manifest["metadata"]["labels"] = metadata.get("labels", {}) | manifest["metadata"]["labels"]
    return manifest


def stale_tests(facts: Facts) -> tuple[Manifest, ...]:
    """Gate tests that no longer ask anything: of a version that is not the candidate or has passed already, or of a
    gate that has changed since. Those that ended stay beside the verdict on their version.

    They go before a verdict is spoken: a version that is taken up again is tested again, on pods that run.
    """
    known = {test.metadata.name: test.spec for test in facts.tests}
    wanted = {
        gate_test_name(facts.workloads[key].frozen, test)
        for key, role in facts.roles.items()
        if role is Role.CANDIDATE and key in facts.workloads and not _has_passed(facts, key)
        for test in facts.gate
        if is_asked(known, facts.workloads[key].frozen, test)
    }
    lost = {test.metadata.name for test in facts.tests if made_anew_at(test, facts.now) == facts.now}
    return tuple(
        child
        for child in facts.children
        if child["kind"] == MODEL_TEST.name
        and (
            child["metadata"]["name"] in lost & wanted
            or (
                child["metadata"]["name"] not in wanted
                and not (
                    _has_ended(child) and _is_judged(facts, child["metadata"]["labels"][labels.OF_VERSION])
                )
            )
        )
    )


def without(facts: Facts, stale: Iterable[Manifest]) -> Facts:
    """The same world once these tests are gone: none of them has its turn any more."""
    gone = {test["metadata"]["uid"] for test in stale}
    left = tuple(test for test in facts.open_tests if test.metadata.uid not in gone)
    return replace(facts, open_tests=left)


def made_anew_at(test: ModelTest, now: datetime) -> datetime | None:
    """When a test that said nothing about the model is made anew, at the earliest now; None if it spoke, or if
    another run would say the same: one that lacks data goes by itself once the data is another."""
    completed = test.status.completed_at
    if completed is None or not says_nothing(test.status) or awaits_data(test.status):
        return None
    return max(now, completed + PAUSE)


def desired(facts: Facts, settings: Settings) -> Plan:
    """The stable Service, and the children of versions whose objects are gone."""
    serving = facts.ledger.serving
    stable = stable_service(facts.owner, serving=serving.key if serving else None)
    recorded = [key for key in _kept(facts) if key in facts.workloads]
    kept = [manifest for key in recorded for manifest in _orphan(facts, key, settings)]
    return Plan((*kept, stable), (*_leftovers(facts), *_history(facts)))


def _kept(facts: Facts) -> list[str]:
    """Versions without an object whose pods are still needed: what serves, and what drains."""
    serving = facts.ledger.serving
    needed = {serving.key, serving.previous_key or ""} if serving else set()
    return [
        key
        for key in sorted(needed - facts.live)
        if (serving and serving.key == key) or facts.is_draining(key)
    ]


def _orphan(facts: Facts, key: str, settings: Settings) -> list[Manifest]:
    serving, frozen = facts.ledger.serving, facts.workloads[key].frozen
    return children(
        frozen,
        facts.owner,
        replicas=frozen.replicas,
        serves=bool(serving and serving.key == key),
        callers=facts.model.spec.callers,
        columns=columns_of(fact_of(facts.ledger, key), frozen.template_hash),
        settings=settings,
    )


def _leftovers(facts: Facts) -> Iterator[Manifest]:
    """Children of versions that are gone; walls and the record stand for as long as there are pods."""
    needed = {*facts.live, *_kept(facts)}
    for child in facts.children:
        key = child["metadata"]["labels"][labels.OF_VERSION]
        stands = child["kind"] in _LAST and key in facts.workloads and facts.workloads[key].pods
        if key not in needed and not stands:
            yield child


def _history(facts: Facts) -> Iterator[Manifest]:
    """Tests of versions that there are, which the gate keeps no longer."""
    manifests = {child["metadata"]["uid"]: child for child in facts.children}
    tests = [test for test in facts.tests if test.metadata.labels[labels.OF_VERSION] in facts.live]
    for test in past_limits(tests, facts.roles, facts.ledger, facts.model.spec.gate):
        yield manifests[test.metadata.uid]


def _has_ended(test: Manifest) -> bool:
    return "completedAt" in test.get("status", {})


def _has_passed(facts: Facts, key: str) -> bool:
    fact = fact_of(facts.ledger, key)
    return fact is not None and may_promote(fact, facts.workloads[key].frozen.template_hash, facts.gate_hash)


def _is_judged(facts: Facts, key: str) -> bool:
    fact = fact_of(facts.ledger, key)
    return fact is not None and fact.verdict is not None
