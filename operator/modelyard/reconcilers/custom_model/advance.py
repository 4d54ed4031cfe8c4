"""The facts of a model after this pass: labels, verdicts, promotion, switch. Pure.

Whatever is decided here is written to the ledger before anything is done about it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from modelyard.api.model_ledger import ModelLedgerSpec, VerdictFact, VersionFact
from modelyard.api.model_test import ModelTest
from modelyard.manifests.gate_test import gate_places, gate_test_name, is_asked
from modelyard.reconcilers.custom_model.facts import Facts, Workload, ready_pods
from modelyard.roles import ledger as ledgers
from modelyard.roles.gate import Tested, refusal, verdict
from modelyard.roles.roles import Role, fact_of, may_promote
from modelyard.roles.turns import contenders, next_turn
from modelyard.status.pods import diagnose, had_its_time, is_ready


def advance(facts: Facts) -> Facts:
    """The same world with the ledger as it will be written."""
    facts = replace(facts, ledger=ledgers.with_labels(facts.ledger, facts.declared))
    facts = replace(facts, ledger=_judged(facts))
    facts = replace(facts, ledger=_promoted(facts))
    facts = replace(facts, ledger=_switched(facts))
    facts = replace(facts, ledger=_with_turn(facts))
    kept = ledgers.without_forgotten(facts.ledger, facts.live)
    return replace(facts, ledger=ledgers.with_brief_verdicts(kept))


def _candidate(facts: Facts) -> tuple[VersionFact, Workload] | None:
    for key, role in facts.roles.items():
        fact, workload = fact_of(facts.ledger, key), facts.workloads.get(key)
        if role is Role.CANDIDATE and fact and workload:
            return fact, workload
    return None


def _judged(facts: Facts) -> ModelLedgerSpec:
    """With the candidate's verdict, if there is one to give: on what it is now, by the gate as it is now."""
    under_test = _candidate(facts)
    if under_test is None:
        return facts.ledger
    fact, workload = under_test
    spoken = _refusal(facts, fact, workload)
    if spoken is None and not _may_promote(facts, fact, workload):
        spoken = _verdict(facts, fact, workload)
    return ledgers.with_verdict(facts.ledger, fact.key, spoken) if spoken else facts.ledger


def _may_promote(facts: Facts, fact: VersionFact, workload: Workload) -> bool:
    return may_promote(fact, workload.frozen.template_hash, facts.gate_hash)


def _tested(workload: Workload) -> Tested:
    frozen = workload.frozen
    return Tested(frozen.image, frozen.code_digest, frozen.template_hash)


def _refusal(facts: Facts, fact: VersionFact, workload: Workload) -> VerdictFact | None:
    """Of a candidate whose pods do not come up, whether it passed its tests before or not."""
    if any(map(_is_running, facts.tests_for(fact.key))):
        return None
    why = _why_it_never_came_up(facts, workload)
    return refusal(facts.gate, _tested(workload), why, now=facts.now) if why else None


def _verdict(facts: Facts, fact: VersionFact, workload: Workload) -> VerdictFact | None:
    frozen, tested = workload.frozen, _tested(workload)
    tests = {test.metadata.name: test for test in facts.tests_for(fact.key)}
    known = {name: test.spec for name, test in tests.items()}
    results = {
        test.name: (name, tests[name].status)
        for test in facts.gate
        if is_asked(known, frozen, test) and (name := gate_test_name(frozen, test))
    }
    return verdict(facts.gate, results, tested, now=facts.now)


def _is_running(test: ModelTest) -> bool:
    """It began on pods that were up, and has the first word on them."""
    return test.status.started_at is not None and test.status.completed_at is None


def _why_it_never_came_up(facts: Facts, workload: Workload) -> str | None:
    """The model's own fault, once a pod had its time to start. What it waits for (a node, its image, a quota)
    does not count, however long it takes."""
    startup = timedelta(seconds=workload.frozen.startup_seconds)
    problem = diagnose([pod for pod in workload.pods if had_its_time(pod, startup, facts.now)], None)
    return problem.message if problem and problem.own_fault else None


def _promoted(facts: Facts) -> ModelLedgerSpec:
    """With the candidate serving, once it passed and its own Service lists every replica as ready."""
    under_test = _candidate(facts)
    if under_test is None or _is_switching(facts):
        return facts.ledger
    fact, workload = under_test
    ready = ready_pods(workload.endpoints) & {p["metadata"]["uid"] for p in workload.pods if is_ready(p)}
    if not _may_promote(facts, fact, workload) or len(ready) < workload.frozen.replicas:
        return facts.ledger
    return ledgers.with_promotion(facts.ledger, fact, now=facts.now)


def _with_turn(facts: Facts) -> ModelLedgerSpec:
    """With the test whose turn it is: of the gate's tests only those that the candidate is asked now."""
    if not facts.open_tests and facts.ledger.testing is None:
        return facts.ledger
    places = _places(facts)
    of_gate = {test.metadata.uid for test in facts.tests}
    held = facts.ledger.testing
    rivals = [
        rival
        for rival in contenders(facts.open_tests, places, facts.begun)
        if rival.uid not in of_gate or rival.place is not None or (held and rival.uid == held.uid)
    ]
    return ledgers.with_turn(facts.ledger, next_turn(held, rivals, now=facts.now))


def _places(facts: Facts) -> dict[str, int]:
    under_test = _candidate(facts)
    return gate_places(under_test[1].frozen, facts.gate) if under_test else {}


def _is_switching(facts: Facts) -> bool:
    """The last promotion is not seen to be in effect yet, though it can be: callers may still be where they were.

    One switch at a time, or the version before the last would lose its pods while they are called.
    """
    serving = facts.ledger.serving
    if serving is None or serving.switched_at is not None:
        return False
    workload = facts.workloads.get(serving.key)
    return workload is not None and any(is_ready(pod) for pod in workload.pods)


def _switched(facts: Facts) -> ModelLedgerSpec:
    """With the switch noted, once the stable Service lists a ready pod of the serving version and no other."""
    serving = facts.ledger.serving
    if serving is None or serving.switched_at is not None:
        return facts.ledger
    workload = facts.workloads.get(serving.key)
    listed = ready_pods(facts.stable_endpoints)
    own = {pod["metadata"]["uid"] for pod in workload.pods} if workload else set()
    if not listed or not listed <= own:
        return facts.ledger
    return ledgers.with_switch(facts.ledger, now=facts.now)
