"""Predictions while the API server is away: pods may leave meanwhile, and what was missed counts when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.gateway.engine import About
from modelyard.gateway.routes.cluster import ClusterRoutes
from modelyard.gateway.serving import Gateway
from modelyard.gateway.settings import Settings
from modelyard.kube.access import Access
from tests.support.eventually import eventually
from tests.unit.gateway.rig import Client, Reply, StubModel, model, post, served
from tests.unit.gateway.routes.objects import (
    NAME,
    NAMESPACE,
    Manifest,
    endpoint,
    pods_of,
    stable,
    version,
)
from tests.unit.gateway.routes.stub_api import Cluster

OLD, NEW = version("k1", "1.0"), version("k2", "2.0")
PATH = f"/{NAMESPACE}/v2/models/{NAME}/infer"


def pod_of(service: Manifest, pod: StubModel) -> Manifest:
    """A slice of one pod, which listens on a port of its own."""
    port = {"name": "http", "port": pod.address.port, "protocol": "TCP"}
    return pods_of(service, endpoint(pod.address.host), part=str(pod.address.port), ports=[port])


class Api:
    """An API server that goes away and comes back to the same port."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.port = cluster, 0
        self._server: TestServer | None = None

    async def come(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.cluster.answer)
        self._server = TestServer(application, port=self.port or None, shutdown_timeout=0.1)
        await self._server.start_server()
        assert self._server.port
        self.port = self._server.port

    async def go(self) -> None:
        self.cluster.hang_up()
        server, self._server = self._server, None
        if server is not None:
            await server.close()


class Front:
    """A gateway whose routes come from an API server."""

    def __init__(self, gateway: Gateway, routes: ClusterRoutes, port: int, clients: list[Client]) -> None:
        self.gateway, self._routes, self._port, self._clients = gateway, routes, port, clients

    async def ask(self) -> Reply:
        """A prediction, on one connection with all others."""
        if not self._clients:
            self._clients.append(Client(*await asyncio.open_connection("127.0.0.1", self._port)))
        return await self._clients[0].ask(post(path=PATH))

    async def answers(self, count: int) -> set[tuple[int, str]]:
        """Status and version of so many predictions, one after the other."""
        replies = [await self.ask() for _ in range(count)]
        return {(reply.status, reply.json.get("model_version", reply.body.decode())) for reply in replies}

    @property
    def serving(self) -> tuple[str, int]:
        """The version of which it knows that it serves, and how many pods of it."""
        known = self._routes.table.models[NAMESPACE, NAME]
        assert known.serving
        return known.serving, len(known.versions[known.serving].pods)

    @property
    def connections(self) -> float:
        """To pods."""
        return self.gateway.report().gauges["upstream_connections"]


@asynccontextmanager
async def front(api: Api) -> AsyncIterator[Front]:
    routes = ClusterRoutes(Access(f"http://127.0.0.1:{api.port}", None, lambda: None))
    made = Gateway(routes, Settings(access_log_sample=0.0), About("0"))
    clients: list[Client] = []
    async with served(made, clients, once_known=True) as port:
        yield Front(made, routes, port, clients)


async def test_predictions_go_on_while_the_api_server_is_away_and_a_pod_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as pods:
        stays, comes = [await pods.enter_async_context(model()) for _ in range(2)]
        leaves = await pods.enter_async_context(AsyncExitStack())
        left = await leaves.enter_async_context(model())
        cluster = Cluster(stable("k1"), OLD, NEW, pod_of(OLD, stays), pod_of(OLD, left))
        api = Api(cluster)
        await api.come()
        pods.push_async_callback(api.go)
        async with front(api) as asked:
            await eventually(lambda: cluster.watched == 2)
            assert await asked.answers(10) == {(200, "1.0")}
            assert stays.asked
            assert left.asked

            await api.go()
            await eventually(lambda: any("Watch failed" in record.message for record in caplog.records))
            before = len(left.asked)
            assert await asked.answers(10) == {(200, "1.0")}
            assert len(left.asked) > before

            await leaves.aclose()
            await eventually(lambda: asked.connections == 1)
            before = len(stays.asked)
            assert await asked.answers(10) == {(200, "1.0")}
            assert len(stays.asked) == before + 10

            for missed in (stable("k2"), pod_of(NEW, comes)):
                cluster.put(missed)
            cluster.remove(pod_of(OLD, left))
            assert await asked.answers(10) == {(200, "1.0")}
            await api.come()
            while asked.serving != ("2.0", 1):
                assert await asked.answers(1) <= {(200, "1.0"), (200, "2.0")}
            assert await asked.answers(10) == {(200, "2.0")}
