"""The gateway's routes on the real API server, over a wire that breaks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from modelyard.api import labels
from modelyard.api.kinds import ENDPOINT_SLICE, SERVICE, Kind
from modelyard.gateway.route import Table
from modelyard.gateway.routes.cluster import ClusterRoutes
from modelyard.manifests.metadata import Manifest
from modelyard.manifests.service import version_service
from tests.apiserver.kube import in_thread, wired
from tests.apiserver.server import ApiServer
from tests.support.eventually import eventually
from tests.unit.gateway.routes.objects import NAME, pods_of, stable
from tests.unit.manifests.builders import MODEL, make_frozen

# Stopping gives up connections wherever they are, and asyncio leaks those whose TLS is just being set up.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

FROZEN = make_frozen()


async def make(server: ApiServer, namespace: str, kind: Kind, manifest: Manifest) -> None:
    """Create an object in this namespace, whatever it says itself."""
    body: dict[str, Any] = {**manifest, "apiVersion": kind.api_version, "kind": kind.name}
    body["metadata"] = manifest["metadata"] | {"namespace": namespace}
    answer = await in_thread(lambda: server.request("POST", kind.path(namespace), body))
    assert answer.status == 201, answer.message


async def serve(server: ApiServer, namespace: str, key: str) -> None:
    """Let the model's Service select this version."""
    body = {"spec": {"selector": {labels.SERVES: key}}}
    kind, path = "application/merge-patch+json", SERVICE.path(namespace, NAME)
    answer = await in_thread(lambda: server.request("PATCH", path, body, content_type=kind))
    assert answer.status == 200, answer.message


def seen(table: Table, namespace: str) -> tuple[str | None, list[str]]:
    """Which version serves, and the addresses of 1.0."""
    model = table.models[namespace, NAME]
    return model.serving, [f"{pod.host}:{pod.port}" for pod in model.versions["1.0"].pods]


async def test_what_is_known_stays_while_the_api_server_is_away_and_what_was_missed_comes_after(
    server: ApiServer, namespace: str
) -> None:
    service = version_service(FROZEN, MODEL)
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}
    await make(server, namespace, SERVICE, stable("none"))
    await make(server, namespace, SERVICE, service)
    await make(server, namespace, ENDPOINT_SLICE, pods_of(service, endpoint))
    async with wired(server) as (access, wire):
        routes = ClusterRoutes(access, namespaces=(namespace,))
        task = asyncio.create_task(routes.run())
        try:
            await asyncio.wait_for(routes.synced.wait(), 10)
            assert seen(routes.table, namespace) == (None, ["10.0.0.1:8080"])

            wire.cut()
            await serve(server, namespace, FROZEN.key)
            assert seen(routes.table, namespace) == (None, ["10.0.0.1:8080"])

            wire.mend()
            await eventually(lambda: seen(routes.table, namespace) == ("1.0", ["10.0.0.1:8080"]), within=10)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
