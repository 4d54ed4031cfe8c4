"""Names that the operator is about to use, and that objects of somebody else have: none of these is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.waiting import until
from tests.e2e.team import Team, dumped, new_team
from tests.support.cluster_objects import gate

KINDS = "configmaps,controllerrevisions,deployments,services,networkpolicies,poddisruptionbudgets"
"""The kinds of children that are named by what they hold, so that they come back under the same names."""

OURS = "modelyard.dev/managed-by=modelyard"

SAID = re.compile(r"(\w+) '([^']+)' in namespace '[^']+' exists and was not made by Modelyard")


@pytest.fixture
def team(kubectl: Kubectl, python_image: str) -> Iterator[Team]:
    with new_team(kubectl, python_image, "taken") as made:
        yield made


def bare(child: Manifest) -> Manifest:
    """Somebody's object that is the same in all but whose it is; of workloads none that runs."""
    namesake = {field: child["metadata"][field] for field in ("name", "namespace")}
    content = {field: value for field, value in child.items() if field not in ("metadata", "status")}
    if child["kind"] == "Deployment":
        content["spec"] = {**child["spec"], "replicas": 0}
    if child["kind"] == "Service":
        content["spec"] = {field: child["spec"][field] for field in ("ports", "selector")}
    return {**content, "metadata": namesake}


def children(team: Team) -> list[Manifest]:
    """What the operator made for the model, tests apart."""
    return team.kubectl.list(KINDS, team.namespace, f"{OURS},!modelyard.dev/of-test")


def told(team: Team) -> tuple[str, str]:
    """Kind and name of the object that stands in the way now."""

    def said() -> tuple[str, str] | None:
        found = SAID.search(team.get("custommodels,custommodelversions", "--output=json"))
        return (found[1], found[2]) if found else None

    return until("a status names what stands in the way", said, timeout=60, every=0.5) or ("", "")


def await_silence(team: Team, kind: str, name: str) -> None:
    """Until no status speaks of an object that stood in the way."""

    def is_silent() -> bool:
        return f"{kind} '{name}'" not in team.get("custommodels,custommodelversions", "--output=json")

    until(f"no status speaks of {kind} {name}", is_silent, timeout=60, every=0.5)


def test_of_no_kind_is_an_object_of_somebody_else_touched(team: Team) -> None:
    ours = [team.model("twice", gate=gate()), team.version("twice", "1.0", replicas=2, requiresHa=True)]
    team.apply(*ours)
    team.await_serving("twice", "1.0")
    theirs = {(child["kind"], child["metadata"]["name"]): bare(child) for child in children(team)}
    assert {kind for kind, _ in theirs} == {
        "ConfigMap",
        "ControllerRevision",
        "Deployment",
        "Service",
        "NetworkPolicy",
        "PodDisruptionBudget",
    }
    team.kubectl.delete(*ours)
    until("all children are gone", lambda: not children(team), timeout=90, every=0.5)
    team.kubectl.run("create", "-f", "-", stdin=dumped(*theirs.values()))

    team.apply(*ours)
    for _ in range(len(theirs)):
        kind, name = told(team)
        assert team.object(kind, name)["metadata"].keys().isdisjoint({"ownerReferences", "labels"})
        team.kubectl.delete(theirs.pop((kind, name)))
        await_silence(team, kind, name)

    team.await_serving("twice", "1.0")
