"""Names that the operator is about to use, and that objects of somebody else have: none of these is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.waiting import until
from tests.e2e.team import Team, dumped, new_team
from tests.support.cluster_objects import gate

KINDS = (
    "configmaps,controllerrevisions,deployments,services,networkpolicies,poddisruptionbudgets,modeltests,"
    "executionenvironmentversions"
)
"""The kinds of children that are named by what they hold, so that they come back under the same names."""

OF_ONE_TEST = ("modelyard.dev/of-test", "modelyard.dev/report-of")
"""What is made for a test is named by the test's uid, which nobody can know beforehand."""

STATUSES = "executionenvironments,custommodels,custommodelversions"

SAID = re.compile(r"(\w+) '([^']+)' in namespace '[^']+' exists and was not made by Modelyard")

Key = tuple[str, str]
"""Kind and name."""


@pytest.fixture
def team(operator: str, kubectl: Kubectl, python_image: str) -> Iterator[Team]:
    with new_team(kubectl, python_image, "taken") as made:
        yield made


def bare(child: Manifest) -> Manifest:
    """Somebody's object that is the same in all but whose it is; it runs no pods and no checks."""
    content = wish(child)
    if child["kind"] == "Deployment":
        content["spec"] = {**child["spec"], "replicas": 0}
    if child["kind"] == "Service":
        content["spec"] = {field: child["spec"][field] for field in ("ports", "selector")}
    if child["kind"] == "ModelTest":
        content["spec"] = {**child["spec"], "cancel": True}
    return {**content, "metadata": {field: child["metadata"][field] for field in ("name", "namespace")}}


def wish(found: Manifest) -> Manifest:
    """What is declared of an object, and by whom it was declared."""
    metadata = {
        field: value
        for field, value in found["metadata"].items()
        if field in ("uid", "labels", "ownerReferences", "finalizers", "deletionTimestamp")
    }
    content = {field: value for field, value in found.items() if field not in ("metadata", "status")}
    return {**content, "metadata": metadata}


def by_key(found: list[Manifest]) -> dict[Key, Manifest]:
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def children(team: Team) -> dict[Key, Manifest]:
    """What the operator made, but for what it made for one run of a test."""
    selector = ",".join(["modelyard.dev/managed-by=modelyard", *(f"!{label}" for label in OF_ONE_TEST)])
    return by_key(team.kubectl.list(KINDS, team.namespace, selector))


def wishes(team: Team) -> dict[Key, Manifest]:
    """What is declared of all that is there."""
    return {key: wish(found) for key, found in by_key(team.kubectl.list(KINDS, team.namespace)).items()}


def in_the_way(team: Team) -> Key:
    """The object that a status says stands in the way, once one does."""

    def said() -> Key | None:
        found = SAID.search(team.get(STATUSES, "--output=json"))
        return (found[1], found[2]) if found else None

    return until("a status names what stands in the way", said, timeout=60, every=0.5) or ("", "")


def await_silence(team: Team, kind: str, name: str) -> None:
    """Until no status speaks of an object that stood in the way; the operator looks when an object of ours changes, and
    by itself half a minute later, as what stood in the way is not watched."""
    team.kubectl.run(
        "annotate",
        STATUSES,
        "--all",
        f"--namespace={team.namespace}",
        "--overwrite",
        f"example.com/gone={kind}.{name}",
    )

    def is_silent() -> bool:
        return f"{kind} '{name}'" not in team.get(STATUSES, "--output=json")

    until(f"no status speaks of {kind} {name}", is_silent, timeout=60, every=0.5)


def test_of_no_kind_is_an_object_of_somebody_else_touched(team: Team) -> None:
    ours = [
        team.environment(),
        team.model("twice", gate=gate()),
        team.version("twice", "1.0", replicas=2, requiresHa=True),
    ]
    team.apply(*ours)
    team.await_serving("twice", "1.0")
    namesakes = {key: bare(child) for key, child in children(team).items()}
    assert {kind for kind, _ in namesakes} == {
        "ConfigMap",
        "ControllerRevision",
        "Deployment",
        "Service",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ModelTest",
        "ExecutionEnvironmentVersion",
    }
    team.kubectl.delete(*ours)
    until("all children are gone", lambda: not children(team), timeout=90, every=0.5)
    team.kubectl.run("create", "-f", "-", stdin=dumped(*namesakes.values()))
    theirs = {key: found for key, found in wishes(team).items() if key in namesakes}

    team.apply(*ours)
    while theirs:
        kind, name = in_the_way(team)
        there = wishes(team)
        assert {key: there.get(key) for key in theirs} == theirs
        team.kubectl.delete(namesakes[kind, name])
        del theirs[kind, name]
        await_silence(team, kind, name)

    team.await_serving("twice", "1.0")
