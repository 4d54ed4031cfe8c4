"""The operator as a guest of the cluster: it writes what it must, bears being killed, and leaves nothing behind."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.install import NAMESPACE, SELECTOR
from tests.cluster.fixtures import needs
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.provider import Capability, Provider
from tests.cluster.waiting import until
from tests.e2e.audit import mark, writes
from tests.e2e.team import Team, is_ready, new_team
from tests.passes.test_writes import CHILDREN, EVENTS, LEDGER, STATUS, WITH_DATA
from tests.support.cluster_objects import gate

SLOW = """
import time

def predict(columns):
    time.sleep(2)
    return [1.1 for _ in columns["id"]]
"""

PASSED_OVER = "executionenvironments,executionenvironmentversions,custommodels,custommodelversions,modeltests"

Deletion = Callable[[Team, dict[str, Manifest]], None]


def in_order(*kinds: str) -> Deletion:
    """One after the other, each gone before the next."""

    def delete(team: Team, objects: dict[str, Manifest]) -> None:
        for kind in kinds:
            team.kubectl.delete(objects[kind])

    return delete


def at_once(team: Team, objects: dict[str, Manifest]) -> None:
    """As `kubectl delete -f <folder>` does."""
    team.kubectl.delete(*objects.values())


DELETIONS: dict[str, Deletion] = {
    "model-version-environment": in_order("model", "version", "environment"),
    "version-model-environment": in_order("version", "model", "environment"),
    "environment-version-model": in_order("environment", "version", "model"),
    "all-at-once": at_once,
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Teams whose version 1.0 serves: one to each way of deletion, and one that stays."""

    doomed: dict[str, Team]
    steady: Team
    upgraded_at: int
    """Mark of the audit log when the steady team applied 1.1."""


def objects(team: Team) -> dict[str, Manifest]:
    """All that a user applies."""
    return {
        "environment": team.environment(),
        "model": team.model("hello", gate=gate()),
        "version": team.version("hello", "1.0"),
    }


@pytest.fixture(scope="module")
def log(cluster: Provider) -> Path:
    """The audit log."""
    needs(cluster, Capability.AUDIT_LOG)
    assert cluster.audit_log is not None
    return cluster.audit_log


@pytest.fixture(scope="module")
def fleet(operator: str, python_image: str, kubectl: Kubectl, log: Path) -> Iterator[Fleet]:
    """Everything starts at once; when all is settled, the steady team gets its second version."""
    with ExitStack() as stack:
        names = ("steady", *DELETIONS)
        teams = {name: stack.enter_context(new_team(kubectl, python_image, "operator")) for name in names}
        for team in teams.values():
            team.apply(*objects(team).values())
        for team in teams.values():
            team.await_serving("hello", "1.0")
            team.await_all("condition=Ready", "custommodel/hello")
        await_idle(kubectl)
        steady = teams.pop("steady")
        upgraded_at = mark(log)
        steady.apply(steady.version("hello", "1.1"))
        yield Fleet(teams, steady, upgraded_at)


def operator_pod(kubectl: Kubectl, but: str = "") -> str:
    """The name of the operator's pod, once one is ready that is not called `but`."""

    def ready() -> str:
        pods = kubectl.list("pods", NAMESPACE, SELECTOR)
        return next((name for pod in pods if is_ready(pod) and (name := pod["metadata"]["name"]) != but), "")

    return until("the operator is ready", ready, timeout=90, every=0.5)


def metric(kubectl: Kubectl, pod: str, name: str) -> float:
    """A metric of the operator, summed over its labels."""
    text = kubectl.run("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics")
    found = re.findall(rf"^modelyard_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    assert found, f"no metric {name}"
    return sum(map(float, found))


def await_idle(kubectl: Kubectl, least_passes: int = 1) -> None:
    """Until the operator has passed over things so many times, and has nothing to do."""
    pod = operator_pod(kubectl)

    def idle() -> bool:
        waiting = metric(kubectl, pod, "queue_depth") + metric(kubectl, pod, "passes_running")
        return waiting == 0 and metric(kubectl, pod, "passes_total") >= least_passes

    until("the operator is idle", idle, timeout=60, every=0.5)


@pytest.mark.parametrize("way", DELETIONS)
def test_deleting_everything_in_any_order_leaves_nothing(fleet: Fleet, way: str) -> None:
    team = fleet.doomed[way]
    assert len(team.remains()) > 10

    DELETIONS[way](team, objects(team))

    until("nothing is left", lambda: not team.remains(), timeout=90, every=1)


def test_deleting_everything_while_it_starts_leaves_nothing(fleet: Fleet) -> None:
    team = fleet.doomed["all-at-once"]
    team.apply(*objects(team).values())
    until("pods start", lambda: team.kubectl.list("pods", team.namespace), every=0.5)

    at_once(team, objects(team))

    until("nothing is left", lambda: not team.remains(), timeout=90, every=1)


def test_a_new_version_costs_the_writes_that_are_listed(fleet: Fleet, log: Path) -> None:
    steady = fleet.steady
    steady.await_serving("hello", "1.1")
    steady.version_row("hello", "1.0", "True Superseded")
    await_idle(steady.kubectl)

    made = writes(log, fleet.upgraded_at, steady.namespace)
    found = Counter(write.what for write in made)
    print(
        f"{found.total()} writes for one new version:",
        *(f"{n} {what}" for what, n in found.items()),
        sep="\n  ",
    )
    assert [write for write in made if write.code >= 300] == []
    transitions = {what: found.pop(what) for what in STATUS}
    assert found == CHILDREN | WITH_DATA | LEDGER | EVENTS
    assert all(count in STATUS[what] for what, count in transitions.items()), transitions


def test_a_restarted_operator_writes_nothing(fleet: Fleet, log: Path) -> None:
    steady = fleet.steady
    steady.version_row("hello", "1.0", "True Superseded")
    await_idle(steady.kubectl)
    since, old = mark(log), operator_pod(steady.kubectl)

    steady.kubectl.run("delete", "pod", old, f"--namespace={NAMESPACE}", "--wait=false")
    operator_pod(steady.kubectl, but=old)
    await_idle(steady.kubectl, least_passes=len(steady.get(PASSED_OVER, "--output=name").split()))
    # What comes after this one is seen in the log, so that what is not there was not written.
    steady.apply(steady.model("sentinel"))
    steady.await_all("condition=Ready", "custommodel/sentinel")

    made = writes(log, since, steady.namespace)
    assert {write.what for write in made if write.name == "sentinel"} >= {"apply CustomModel/status"}
    assert [write for write in made if not write.name.startswith("sentinel") and write.name] == []


def test_an_operator_killed_during_a_test_ends_it_and_promotes_once(fleet: Fleet) -> None:
    steady = fleet.steady
    steady.await_serving("hello", "1.1")
    given = labels(steady)
    steady.apply(steady.version("hello", "1.2", predict=SLOW))
    until("its test runs", lambda: runners(steady, "hello-1-2"), timeout=90, every=0.5)

    old = operator_pod(steady.kubectl)
    steady.kubectl.run("delete", "pod", old, f"--namespace={NAMESPACE}", "--grace-period=0", "--force")
    assert runners(steady, "hello-1-2"), "the test was over before the operator was killed"
    steady.await_serving("hello", "1.2")

    assert labels(steady) == given | {"hello-1-2": "1.2"}
    ledger = steady.object("modelledger", "hello")["spec"]
    assert [promotion["label"] for promotion in ledger["promotions"]] == ["1.0", "1.1", "1.2"]
    jobs = [job["metadata"]["name"] for job in steady.kubectl.list("jobs", steady.namespace)]
    assert len([name for name in jobs if name.startswith("hello-1-2-")]) == 1, jobs
    test = next(
        t
        for t in steady.kubectl.list("modeltests", steady.namespace)
        if "hello-1-2-" in t["metadata"]["name"]
    )
    assert test["status"]["overallStatus"] == "succeeded"


def labels(team: Team) -> dict[str, str]:
    """The label of each version as the ledger has it."""
    return {fact["name"]: fact["label"] for fact in team.object("modelledger", "hello")["spec"]["versions"]}


def runners(team: Team, version: str) -> list[str]:
    """Pods of the version's test that run."""
    pods = team.kubectl.list("pods", team.namespace, "modelyard.dev/of-test")
    return [
        pod["metadata"]["name"]
        for pod in pods
        if pod["metadata"]["name"].startswith(f"{version}-") and pod["status"].get("phase") == "Running"
    ]


def test_what_was_deleted_did_not_come_back(fleet: Fleet) -> None:
    """Not even from the operators that were started since."""
    await_idle(fleet.steady.kubectl)

    left = {way: json.dumps(team.remains()) for way, team in fleet.doomed.items() if team.remains()}
    assert left == {}
