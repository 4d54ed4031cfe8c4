"""Where a model may go, and who may come: each closed way is seen open from an unrestricted pod on the same node.

What is denied may be refused or time out. New rules take effect with a delay, so both ends are awaited.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.fixtures import needs, new_namespace
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.provider import Capability, Provider
from tests.cluster.waiting import until
from tests.e2e.team import Team, new_team
from tests.ground.world import BLOCKED, World, connects

MODELS = {"closed": "NONE", "public": "PUBLIC"}
INSIDE = ("friend", "stranger")
"""Pods of the models' own namespace; the first carries the label role=friend."""

ELSEWHERE = "free-n1"
"""A pod of another namespace."""

SECONDS = 30
"""Within which new rules take effect."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Two models, one of each egress policy; in another namespace an unrestricted pod on each node."""

    team: Team
    others: World
    targets: dict[str, str]
    """What there is to reach, as `host:port`."""

    @property
    def inside(self) -> World:
        """To ask from pods of the models' namespace."""
        return World(self.team.kubectl, self.team.namespace, self.others.image)

    def pod(self, model: str) -> Manifest:
        """The pod that serves."""
        return self.team.ready_pods(model, "1.0")[0]

    def ways(self, model: str) -> dict[str, str]:
        """What leads to a model."""
        service = self.team.object("service", model)["spec"]["clusterIP"]
        return {
            f"{model} by Service": f"{service}:80",
            f"{model} by address": f"{self.pod(model)['status']['podIP']}:8080",
        }

    def reached(self, pod: Manifest, targets: dict[str, str]) -> tuple[set[str], set[str]]:
        """Which targets a pod reaches, and which an unrestricted pod on its node does, at the same time."""
        free = f"free-{pod['spec']['nodeName']}"
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(self.inside.ask, pod["metadata"]["name"], *targets.values())
            control = pool.submit(self.others.ask, free, *targets.values())
        return opened(targets, asked.result()), opened(targets, control.result())

    def expect_reached(self, pod: Manifest, *names: str) -> None:
        """The pod comes to reach exactly these, while the control reaches all that there is; and it stays so."""
        wanted = (set(names), set(self.targets))
        until(f"{names} are reached", lambda: self.reached(pod, self.targets) == wanted, timeout=SECONDS)
        assert self.reached(pod, self.targets) == wanted

    def callers(self, model: str) -> set[str]:
        """Who reaches the model and which way, as `<pod>: <way>`."""
        ways = self.ways(model)
        with ThreadPoolExecutor(3) as pool:
            asked = {name: pool.submit(self.inside.ask, name, *ways.values()) for name in INSIDE}
            asked[ELSEWHERE] = pool.submit(self.others.ask, ELSEWHERE, *ways.values())
        return {f"{name}: {way}" for name, answer in asked.items() for way in opened(ways, answer.result())}

    def expect_callers(self, model: str, *names: str) -> None:
        """Exactly these pods come to reach the model, both ways, and still do when asked again."""
        wanted = {f"{name}: {way}" for name in names for way in self.ways(model)}
        until(f"{model} is reached by {names}", lambda: self.callers(model) == wanted, timeout=SECONDS)
        assert self.callers(model) == wanted

    def admit(self, model: str, *callers: dict[str, Any]) -> None:
        """Let these callers in alone; the default without any."""
        self.team.apply(self.team.model(model, callers=list(callers) or None))


def opened(targets: dict[str, str], results: dict[str, str]) -> set[str]:
    """The names of the targets that answered; the others were denied, not broken."""
    found = connects(results)
    denied = {result for target, result in results.items() if target not in found}
    assert denied <= BLOCKED | {"no such name"}, results
    return {name for name, target in targets.items() if target in found}


@pytest.fixture(scope="module")
def scene(operator: str, cluster: Provider, python_image: str, kubectl: Kubectl) -> Iterator[Scene]:
    """The models serve, and everything else is Ready."""
    with new_team(kubectl, python_image, "isolation") as team, new_namespace(kubectl, "others") as namespace:
        for model, egress in MODELS.items():
            team.apply(team.model(model), team.version(model, "1.0", networkEgressPolicy=egress))
        others = World(kubectl, namespace, python_image)
        first, second = sorted(cluster.nodes())[:2]
        free = [others.client(f"free-{node}", node) for node in (first, second)]
        others.start(*others.server("web1", first), *others.server("web2", second), *free)
        inside = World(kubectl, team.namespace, python_image)
        inside.start(inside.client("friend", first, role="friend"), inside.client("stranger", first))
        for model in MODELS:
            team.await_serving(model, "1.0")
        yield Scene(team, others, targets(cluster, others))


def targets(cluster: Provider, others: World) -> dict[str, str]:
    """Something of every sort that a model might want to reach."""
    api = others.kubectl.get("service", "kubernetes")["spec"]["clusterIP"]
    needs(cluster, Capability.INTERNET)
    assert cluster.internet is not None
    return {
        "pod on n1": others.address("web1"),
        "pod on n2": others.address("web2"),
        "Service": others.service_address("web1"),
        "Service by name": f"web1.{others.namespace}.svc:80",
        "API server": f"{api}:443",
        "registry": cluster.image_registry,
        "internet": f"{cluster.internet.address}:80",
        "internet by name": f"{cluster.internet.name}:80",
    }


def test_egress_none_reaches_nothing_and_no_dns(scene: Scene) -> None:
    scene.expect_reached(scene.pod("closed"))


def test_egress_public_reaches_the_internet_and_nothing_of_the_cluster(scene: Scene) -> None:
    scene.expect_reached(scene.pod("public"), "internet", "internet by name")


def test_a_test_reaches_the_tested_pods_alone(scene: Scene) -> None:
    """Seen from a pod that carries the labels of the Job's."""
    (job,) = (
        job
        for job in scene.team.kubectl.list("jobs", scene.team.namespace)
        if "closed" in job["metadata"]["name"]
    )
    labels = {
        name: value
        for name, value in job["spec"]["template"]["metadata"]["labels"].items()
        if name.startswith("modelyard.dev/")
    }
    node = scene.pod("closed")["spec"]["nodeName"]
    scene.inside.start(scene.inside.client("like-the-test", node, **labels))
    pod = scene.team.object("pod", "like-the-test")

    scene.expect_reached(pod)
    models = scene.ways("closed") | scene.ways("public")
    assert opened(models, scene.inside.ask("like-the-test", *models.values())) == set(scene.ways("closed"))
    assert opened(models, scene.inside.ask("friend", *models.values())) == set(models)


def test_a_model_is_called_from_its_own_namespace_unless_it_names_its_callers(scene: Scene) -> None:
    scene.expect_callers("closed", *INSIDE)

    scene.admit("closed", {"podSelector": {"matchLabels": {"role": "friend"}}})
    scene.expect_callers("closed", "friend")

    elsewhere = {"matchLabels": {"kubernetes.io/metadata.name": scene.others.namespace}}
    scene.admit("closed", {"namespaceSelector": elsewhere})
    scene.expect_callers("closed", ELSEWHERE)

    scene.admit("closed")
    scene.expect_callers("closed", *INSIDE)
