"""NetworkPolicy really blocks. Each rule is seen open, then closed, then open again, on new connections."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl
from tests.cluster.waiting import until
from tests.ground.world import BLOCKED, World, connects

CLIENTS = ("friend1", "friend2", "other1", "other2")
SERVERS = ("web1", "web2")


@dataclass(frozen=True, slots=True)
class Scene:
    """The pods of these tests, and what leads to each server: `<server> by address`, `<server> by Service`."""

    world: World
    ways: dict[str, str]

    def reached(self, *clients: str) -> dict[str, set[str]]:
        """The ways that are open to each client, all asked at the same time."""
        with ThreadPoolExecutor(len(clients)) as pool:
            asked = pool.map(lambda client: self.world.ask(client, *self.ways.values()), clients)
        return {client: self._open(results) for client, results in zip(clients, asked, strict=True)}

    def _open(self, results: dict[str, str]) -> set[str]:
        assert set(results.values()) <= BLOCKED | {f"answered {name}" for name in SERVERS}
        return {way for way, target in self.ways.items() if target in connects(results)}

    def expect(self, wanted: dict[str, set[str]]) -> None:
        """Each client comes to reach exactly these servers, both ways, and still does when asked again."""
        ways = {client: {way for way in self.ways if way.split()[0] in wanted[client]} for client in wanted}
        until(f"reached are {wanted}", lambda: self.reached(*wanted) == ways, timeout=15)
        assert self.reached(*wanted) == ways

    def expect_all_open(self) -> None:
        self.expect({client: set(SERVERS) for client in CLIENTS})

    @contextmanager
    def policy(self, select: str, **rules: Any) -> Iterator[None]:
        """A NetworkPolicy for the pods of one role holds while this lasts."""
        spec = {"podSelector": {"matchLabels": {"role": select}}, **rules}
        metadata = {"name": f"for-{select}", "namespace": self.world.namespace}
        kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
        self.world.kubectl.apply({**kind, "metadata": metadata, "spec": spec})
        try:
            yield
        finally:
            self.world.kubectl.delete({**kind, "metadata": metadata})


@pytest.fixture(scope="module")
def scene(kubectl: Kubectl, python_image: str, nodes: tuple[str, str]) -> Iterator[Scene]:
    """On each of two nodes a server, a client with the role `friend` and one with the role `other`."""
    with new_namespace(kubectl, "ground-policy") as namespace:
        world = World(kubectl, namespace, python_image)
        servers = [world.server(name, nodes[int(name[-1]) - 1], role="server") for name in SERVERS]
        clients = [world.client(name, nodes[int(name[-1]) - 1], role=name[:-1]) for name in CLIENTS]
        world.start(*servers[0], *servers[1], *clients)
        ways = {f"{name} by address": world.address(name) for name in SERVERS}
        ways |= {f"{name} by Service": world.service_address(name) for name in SERVERS}
        yield Scene(world, ways)


def test_without_a_policy_everything_connects(scene: Scene) -> None:
    scene.expect_all_open()


def test_denied_ingress_refuses_every_client_and_opens_again(scene: Scene) -> None:
    with scene.policy("server", policyTypes=["Ingress"]):
        scene.expect({client: set() for client in CLIENTS})
        # The kubelet's probes come from the node, and stay allowed.
        scene.world.kubectl.wait(
            "condition=Ready", "pod/web1", "pod/web2", namespace=scene.world.namespace, timeout=1
        )
    scene.expect_all_open()


def test_ingress_for_one_role_lets_only_that_role_in(scene: Scene) -> None:
    friends = [{"podSelector": {"matchLabels": {"role": "friend"}}}]
    with scene.policy("server", policyTypes=["Ingress"], ingress=[{"from": friends}]):
        scene.expect(
            {"friend1": {"web1", "web2"}, "friend2": {"web1", "web2"}, "other1": set(), "other2": set()}
        )


def test_denied_egress_reaches_neither_pods_nor_dns_nor_the_internet(scene: Scene, internet: str) -> None:
    outside = (f"{internet}:80", "internet.test:80")
    assert connects(scene.world.ask("other1", *outside)) == set(outside)
    with scene.policy("other", policyTypes=["Egress"]):
        both = {"web1", "web2"}
        scene.expect({"other1": set(), "other2": set(), "friend1": both, "friend2": both})
        for client in ("other1", "other2"):
            address, name = scene.world.ask(client, *outside).values()
            assert address in BLOCKED
            assert name == "no such name"
    scene.expect_all_open()


def test_egress_to_one_server_reaches_only_that_one(scene: Scene) -> None:
    to_web1 = [{"podSelector": {"matchLabels": {"app": "web1"}}}]
    with scene.policy("other", policyTypes=["Egress"], egress=[{"to": to_web1}]):
        both = {"web1", "web2"}
        scene.expect({"other1": {"web1"}, "other2": {"web1"}, "friend1": both, "friend2": both})


def test_egress_to_the_internet_alone_reaches_no_pod(scene: Scene, internet: str) -> None:
    public = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]
    with scene.policy("other", policyTypes=["Egress"], egress=[{"to": public}]):
        scene.expect({"other1": set(), "other2": set()})
        for client in ("other1", "other2"):
            assert connects(scene.world.ask(client, f"{internet}:80"))
