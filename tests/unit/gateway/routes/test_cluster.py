"""Routes of a cluster, by lists and watches of a small API server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.gateway.route import Model, Table
from modelyard.gateway.routes.cluster import ClusterRoutes
from modelyard.gateway.routes.services import model_of
from modelyard.kube.access import Access
from tests.support.eventually import eventually
from tests.unit.gateway.routes.objects import (
    NAME,
    NAMESPACE,
    endpoint,
    pods_of,
    service_of,
    stable,
    version,
)
from tests.unit.gateway.routes.stub_api import Cluster

OLD, NEW = version("k1", "1.0"), version("k2", "2.0")
KEY = (NAMESPACE, NAME)


@asynccontextmanager
async def watching(cluster: Cluster, *namespaces: str) -> AsyncIterator[tuple[ClusterRoutes, TestServer]]:
    """Routes of the cluster, and its server."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", cluster.answer)
    server = TestServer(application, shutdown_timeout=0.1)
    await server.start_server()
    access = Access(f"http://{server.host}:{server.port}", None, lambda: None)
    routes = ClusterRoutes(access, namespaces=namespaces, default_namespace="team-a")
    task = asyncio.create_task(routes.run())
    try:
        yield routes, server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        cluster.hang_up()
        await server.close()


@pytest.fixture
def cluster() -> Cluster:
    """A model of two versions, the first of which serves."""
    pods = [pods_of(OLD, endpoint("10.0.0.1")), pods_of(NEW, endpoint("10.0.0.2"))]
    return Cluster(stable("k1"), OLD, NEW, *pods)


def serving(table: Table) -> str | None:
    """The label that serves."""
    return table.models[KEY].serving


def hosts(table: Table, label: str) -> list[str]:
    """The pods of a version."""
    return [pod.host for pod in table.models[KEY].versions[label].pods]


async def test_the_table_is_complete_when_both_kinds_are_listed(cluster: Cluster) -> None:
    cluster.listing.clear()
    async with watching(cluster) as (routes, _):
        await eventually(lambda: len(cluster.seen) == 2)
        assert not routes.synced.is_set()
        cluster.listing.set()
        await routes.synced.wait()
        assert (serving(routes.table), hosts(routes.table, "2.0")) == ("1.0", ["10.0.0.2"])
        assert routes.table.default_namespace == "team-a"


async def test_only_what_is_ours_is_asked_for_and_only_two_kinds(cluster: Cluster) -> None:
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
    ours = "modelyard.dev/managed-by=modelyard"
    assert set(cluster.seen) == {
        f"/api/v1/services?{ours}",
        f"/apis/discovery.k8s.io/v1/endpointslices?{ours}",
    }


async def test_named_namespaces_are_asked_one_by_one(cluster: Cluster) -> None:
    async with watching(cluster, "team-a", "team-b") as (routes, _):
        await routes.synced.wait()
    asked = {path.partition("?")[0] for path in cluster.seen}
    slices = "/apis/discovery.k8s.io/v1/namespaces"
    assert asked == {
        "/api/v1/namespaces/team-a/services",
        "/api/v1/namespaces/team-b/services",
        f"{slices}/team-a/endpointslices",
        f"{slices}/team-b/endpointslices",
    }


async def test_a_flip_is_one_change_after_which_the_other_pods_are_asked(cluster: Cluster) -> None:
    changes: list[tuple[str | None, str | None]] = []
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
        routes.subscribe(lambda old, new: changes.append((serving(old), serving(new))))
        cluster.put(stable("k2"))
        await eventually(lambda: changes)
        assert changes == [("1.0", "2.0")]


async def test_a_pod_that_leaves_is_out_and_the_other_models_are_the_same_objects(cluster: Cluster) -> None:
    cluster.put(service_of("houses", "k9"))
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
        before = routes.table
        cluster.put(pods_of(OLD, endpoint("10.0.0.1", ready=False, serving=True, terminating=True)))
        await eventually(lambda: hosts(routes.table, "1.0") == [])
        assert hosts(before, "1.0") == ["10.0.0.1"], "a table is never changed in place"
        assert routes.table.models[NAMESPACE, "houses"] is before.models[NAMESPACE, "houses"]


async def test_a_model_that_comes_is_there_and_one_that_goes_is_not(cluster: Cluster) -> None:
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
        cluster.put(service_of("houses", "k9", "team-b"))
        await eventually(lambda: ("team-b", "houses") in routes.table.models)
        cluster.remove(service_of("houses", "k9", "team-b"))
        await eventually(lambda: ("team-b", "houses") not in routes.table.models)
        assert KEY in routes.table.models


async def test_a_model_that_cannot_be_read_stays_as_it_was_and_the_others_change(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(namespace: str, name: str, *found: Any) -> Model | None:
        if name == "broken":
            raise ValueError("of a form that nobody thought of")
        return model_of(namespace, name, *found)

    cluster.put(service_of("broken", "k9"))
    monkeypatch.setattr("modelyard.gateway.routes.cluster.model_of", failing)
    async with watching(cluster) as (routes, _):
        async with asyncio.timeout(5):
            await routes.synced.wait()
        assert list(routes.table.models) == [KEY]
        assert routes.unreadable == 1
        await eventually(lambda: cluster.watched == 2)
        cluster.put(service_of("broken", "k8"))
        cluster.put(stable("k2"))
        await eventually(lambda: serving(routes.table) == "2.0")
        assert list(routes.table.models) == [KEY]
    (line, *_) = [vars(record) for record in caplog.records if "cannot be read" in record.message]
    assert (line["namespace"], line["model"]) == (NAMESPACE, "broken")


async def test_models_whose_routes_are_none_are_counted_and_told_once(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    odd = version("k3", "3.0", urlPrefix="no path")
    bare = version("k4", "4.0")
    del bare["metadata"]["annotations"]
    for service in (odd, bare):
        cluster.put(service)
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
        assert (routes.unreadable, list(routes.table.models[KEY].versions)) == (1, ["1.0", "2.0"])
        await eventually(lambda: cluster.watched == 2)
        cluster.put(stable("k2"))
        await eventually(lambda: serving(routes.table) == "2.0")
        assert routes.unreadable == 1
        cluster.put(version("k3", "3.0"))
        await eventually(lambda: "3.0" in routes.table.models[KEY].versions)
        assert routes.unreadable == 0
    (line,) = [vars(record) for record in caplog.records if "cannot be read" in record.message]
    assert (line["model"], line["services"]) == (NAME, [odd["metadata"]["name"]])


async def test_a_change_that_says_nothing_new_makes_no_other_table(cluster: Cluster) -> None:
    async with watching(cluster) as (routes, _):
        await routes.synced.wait()
        before = routes.table
        noted = stable("k1")
        noted["metadata"]["annotations"] = {"somebody/else": "x"}
        cluster.put(noted)
        cluster.put(service_of("houses", "k9"))
        await eventually(lambda: (NAMESPACE, "houses") in routes.table.models)
        assert routes.table.models[KEY] is before.models[KEY]


async def test_the_last_knowledge_stays_while_the_api_server_is_away(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(cluster) as (routes, server):
        await routes.synced.wait()
        before = routes.table
        await eventually(lambda: cluster.watched == 2)
        cluster.hang_up()
        await server.close()
        await eventually(lambda: any("Watch failed" in record.message for record in caplog.records))
        assert routes.table is before
        assert routes.synced.is_set()


async def test_a_watch_that_ended_goes_on(cluster: Cluster) -> None:
    async with watching(cluster) as (routes, _):
        await eventually(lambda: cluster.watched == 2)
        cluster.hang_up()
        cluster.put(stable("k2"))
        await eventually(lambda: serving(routes.table) == "2.0")
