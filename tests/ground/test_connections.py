"""Pods reach pods, Services and names, on one node and across nodes, and nothing outside."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl
from tests.cluster.provider import Provider
from tests.cluster.waiting import until
from tests.ground.world import World

CLIENTS = ("client1", "client2")
SERVERS = ("web1", "web2")


@pytest.fixture(scope="module")
def world(kubectl: Kubectl, python_image: str, nodes: tuple[str, str]) -> Iterator[World]:
    """A client and a server on each of two nodes."""
    with new_namespace(kubectl, "ground-connections") as namespace:
        made = World(kubectl, namespace, python_image)
        for number, node in enumerate(nodes, start=1):
            made.start(*made.server(f"web{number}", node), made.client(f"client{number}", node))
        yield made


def answers(world: World, client: str, target: str) -> str:
    """What `target` answers; a Service may refuse for a second after its pod is Ready."""

    def ask() -> str:
        result = world.ask(client, target)[target]
        return result.removeprefix("answered ") if result.startswith("answered") else ""

    return until(f"{client} reaches {target}", ask, timeout=15, every=0.3)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_pod_reaches_pod(world: World, client: str, server: str) -> None:
    assert answers(world, client, world.address(server)) == server


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_pod_reaches_service_by_address_and_by_name(world: World, client: str, server: str) -> None:
    long_name = f"{server}.{world.namespace}.svc.cluster.local:80"
    for target in (world.service_address(server), f"{server}:80", long_name):
        assert answers(world, client, target) == server


@pytest.mark.parametrize("client", CLIENTS)
def test_a_name_that_no_service_has_does_not_resolve(world: World, client: str) -> None:
    assert answers(world, client, "web1:80") == "web1"  # the resolver itself is well
    assert world.ask(client, "nobody:80", "example.com:80") == {
        "nobody:80": "no such name",
        "example.com:80": "no such name",
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_pod_reaches_the_pretended_internet(cluster: Provider, world: World, client: str) -> None:
    assert cluster.internet is not None
    for host in (cluster.internet.name, cluster.internet.address):
        assert answers(world, client, f"{host}:80") == cluster.internet.body


@pytest.mark.parametrize("client", CLIENTS)
def test_no_packet_of_a_pod_leaves_the_machine(world: World, client: str) -> None:
    # Nodes have no route there: they say so at once, instead of sending the packet on.
    for outside in ("203.0.113.1:80", "198.51.100.11:80"):
        assert world.ask(client, outside) == {outside: "unreachable"}


def test_the_machine_reaches_pods_and_services(world: World, kubectl: Kubectl) -> None:
    for target in (world.address("web2"), world.service_address("web2")):
        with urllib.request.urlopen(f"http://{target}/", timeout=5) as answer:
            assert answer.read() == b"web2"
